"""Raw maps of a detector in files: saved while it is scored, gone on with, and scored again.

A folder of ours holds ``maps.json`` (who made the maps and how scores come of them), a map for each
id (``ID.npy``, exact, or ``ID.png``, 16 bits with the scale that gives its units back) and a note
beside it (``ID.npy.json``: of which frame, how long it took, what it told). A folder of another
program holds maps or masks alone, named by id.
"""

from deepir.saved_maps.folder import Archives, MapArchive
from deepir.saved_maps.reading import SavedMaps, open_maps, score_maps

__all__ = ["Archives", "MapArchive", "SavedMaps", "open_maps", "score_maps"]
