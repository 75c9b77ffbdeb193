"""One line for a person out of what a decoder raised."""

from __future__ import annotations


def reason(error: Exception) -> str:
    r"""The first line of an error without paths and source positions, or its kind.

    >>> reason(ValueError("bad header\nat byte 7")), reason(KeyError()), reason(OSError(2, "Gone"))
    ('bad header', 'KeyError', 'gone')
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    # cv2.error keeps what it has to say apart from where in OpenCV's source it says it.
    text = getattr(error, "err", "") or str(error)
    return next(iter(text.strip().splitlines()), "") or type(error).__name__
