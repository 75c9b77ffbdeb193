"""What is wrong with a dataset: every file looked at, and no stop at the first problem."""

from deepir.audit.findings import Finding, Kind
from deepir.audit.run import Audit, audit_dataset

__all__ = ["Audit", "Finding", "Kind", "audit_dataset"]
