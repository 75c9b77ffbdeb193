"""Form of a COCO annotation file, checked when it is read."""

from __future__ import annotations

import reprlib
from codecs import BOM_UTF8
from collections import Counter, defaultdict
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from deepir.data.listing import read_limited
from deepir.errors import DeepirError

MOST_JSON_BYTES = 2**30

Name = Annotated[str, Field(min_length=1)]
Side = Annotated[int, Field(ge=0, le=2**31)]
Corner = tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]


class CocoImage(BaseModel):
    """One image; ``width`` and ``height`` are 0 where the file does not say them."""

    id: int | str
    file_name: Name
    width: Side = 0
    height: Side = 0


class CocoAnnotation(BaseModel):
    """One target: ``bbox`` is x, y, width, height, in pixels from 0, or None."""

    image_id: int | str
    id: int | str | None = None
    bbox: Corner | None = None
    category_id: int | str | None = None
    iscrowd: bool = False
    segmentation: Any = None

    @property
    def outlined(self) -> bool:
        """Whether there is a mask."""
        return self.segmentation not in (None, [], {})


class CocoCategory(BaseModel):
    """One class of targets."""

    id: int | str
    name: str


class CocoFile(BaseModel):
    """What is used of a file; other fields are free.

    In ``info`` deepir notes whether it wrote masks, if only empty ones.
    """

    images: list[CocoImage]
    annotations: list[CocoAnnotation]
    categories: list[CocoCategory] = []
    info: Any = None

    @property
    def has_masks(self) -> bool:
        """Whether frames have masks, so that one without targets has an empty one."""
        said = self.info.get("masks") if isinstance(self.info, dict) else None
        return said is True or any(one.outlined for one in self.annotations)

    def of_images(self) -> dict[int | str, list[CocoAnnotation]]:
        """Annotations by the id of their image, crowds (regions to be ignored) included."""
        found = defaultdict(list)
        for one in self.annotations:
            found[one.image_id].append(one)
        return found


def read_coco_file(path: Path) -> CocoFile:
    """Read and check a file; of a name that stands twice in an object the last counts.

    Raises:
        DeepirError: it cannot be read, is larger than 1 GiB, is no JSON, does not fit the form,
            or an annotation belongs to no image.
    """
    try:
        content = read_limited(path, MOST_JSON_BYTES)
        read = CocoFile.model_validate_json(content.removeprefix(BOM_UTF8))
    except OSError as error:
        raise DeepirError(f"cannot read annotations {str(path)!r}: {error.strerror}") from None
    except ValidationError as error:
        raise DeepirError(f"annotations {str(path)!r} do not fit: {_first(error)}") from None
    uses = Counter(image.id for image in read.images)
    twice = [each for each, count in uses.items() if count > 1]
    if twice:
        raise DeepirError(f"annotations {str(path)!r} have two images of the id {twice[0]!r:.60}")
    orphans = [one.image_id for one in read.annotations if one.image_id not in uses]
    if orphans:
        raise DeepirError(
            f"annotations {str(path)!r} are of an image {orphans[0]!r:.60} that is not listed there"
        )
    return read


def _first(error: ValidationError) -> str:
    detail = error.errors(include_url=False)[0]
    where = ".".join(map(str, detail["loc"]))
    absent = detail["type"] in ("missing", "json_invalid")
    got = "" if absent else f", got {reprlib.repr(detail['input'])}"
    return f"{where}: {detail['msg']}{got}".removeprefix(": ").replace("\n", " ")
