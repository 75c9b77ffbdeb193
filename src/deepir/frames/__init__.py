"""Frames in: images, stacks, videos and folders as one lazy sequence of grey frames.

Eight-, sixteen-bit and floating-point levels stay what they are; what is cut off is said, never
half decoded; one bad frame does not stop the others. Bytes that were overwritten inside a file go
unnoticed where the format has no checksum (JPEG, raw TIFF, video).
"""

from deepir.frames.sources import BadFrame, Frame, Source, find_sources
from deepir.frames.stills import read_image

__all__ = ["BadFrame", "Frame", "Source", "find_sources", "read_image"]
