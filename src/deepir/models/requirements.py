"""What the networks need beyond a plain install."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from deepir.errors import UsageError

PACKAGES = ("torch", "safetensors")


def require_torch(purpose: str, *, extra: str = "torch", also: Sequence[str] = ()) -> None:
    """Make sure that PyTorch and its weight files can be used; PyTorch is imported for that.

    Args:
        purpose: what asks for it, as the message's subject: ``deepir convert``.
        extra: of the package, that brings all that the purpose needs.
        also: packages beyond those two.

    Raises:
        UsageError: a package is not installed, and the message says how to get it; or PyTorch
            cannot be imported.
    """
    missing = [name for name in (*PACKAGES, *also) if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"{purpose} needs {' and '.join(missing)}, not installed here:"
            f" pip install 'deepir[{extra}]'"
        )
    try:
        import torch  # noqa: F401  # whether it can be imported is the question
    except (ImportError, OSError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(
            f"{purpose} needs torch, and the one installed here does not work: {reason}"
        ) from None
