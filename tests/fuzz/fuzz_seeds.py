"""Small valid files of every kind, made by the writers that users have, to begin with."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import tifffile

from deepir.boxes import mask_from_boxes
from deepir.calibration import Bin, Calibration, Platt
from deepir.card import Card
from deepir.data import write_coco, write_voc, write_yolo
from deepir.predictions import frame_entry
from deepir.structures import Detections, Sample

SHAPE = (12, 16)
BOXES = ((3, 4, 6, 9), (10.0, 1, 12, 2))


def levels(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    """Noise over the whole range of a type."""
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return rng.normal(300, 9, shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def samples() -> list[Sample]:
    """Two frames: one with two targets, one without any."""
    image = levels(*SHAPE)
    boxes = np.array(BOXES)
    return [
        Sample(image, boxes, mask_from_boxes(boxes, SHAPE), "a"),
        Sample(image[::-1].copy(), np.zeros((0, 4)), np.zeros(SHAPE, dtype=bool), "b"),
    ]


def encoded(suffix: str, *options: int, dtype: type = np.uint8, colours: int = 0) -> bytes:
    """An image as OpenCV writes it."""
    shape = (*SHAPE, colours) if colours else SHAPE
    done, content = cv2.imencode(suffix, levels(*shape, dtype=dtype), options)
    assert done
    return content.tobytes()


def png_seeds() -> list[bytes]:
    """8 and 16 bits, grey, colour, opacity, two levels."""
    return [
        encoded(".png"),
        encoded(".png", dtype=np.uint16),
        encoded(".png", colours=3),
        encoded(".png", colours=4),
        encoded(".png", cv2.IMWRITE_PNG_BILEVEL, 1),
    ]


def jpeg_seeds() -> list[bytes]:
    """Sequential, progressive, with restart marks, colour."""
    return [
        encoded(".jpg"),
        encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        encoded(".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 1, colours=3),
    ]


def other_image_seeds() -> list[bytes]:
    """BMP, PGM of both kinds and depths, WebP of both kinds."""
    return [
        encoded(".bmp"),
        encoded(".bmp", colours=3),
        encoded(".pgm"),
        encoded(".pgm", dtype=np.uint16),
        encoded(".pgm", cv2.IMWRITE_PXM_BINARY, 0),
        encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
        encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 101, colours=3),
    ]


def tiff(images: np.ndarray, **options: object) -> bytes:
    """A TIFF file of pages."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, images, **options)
    return stream.getvalue()


def tiff_seeds() -> list[bytes]:
    """Depths, stacks, byte orders, tiles, packings, colours, and what ImageJ writes."""
    stack = levels(3, *SHAPE, dtype=np.uint16)
    grey = {"photometric": "minisblack"}
    return [
        tiff(levels(*SHAPE)),
        tiff(stack, **grey),
        tiff(stack, **grey, metadata=None, compression="zlib", rowsperstrip=4),
        tiff(stack, **grey, byteorder=">", bigtiff=True),
        tiff(stack, imagej=True),
        tiff(levels(32, 48, dtype=np.float32), **grey, tile=(16, 16), compression="zlib"),
        tiff(levels(*SHAPE, 3), photometric="rgb", planarconfig="contig", compression="lzma"),
        tiff(levels(*SHAPE), photometric="miniswhite"),
        *(encoded(".tiff", cv2.IMWRITE_TIFF_COMPRESSION, kind) for kind in (32773, 8)),
        encoded(".tiff", colours=3),  # LZW
    ]


def npy_seeds() -> list[bytes]:
    """A frame and a stack, of several types, in both orders."""
    arrays = [
        levels(*SHAPE),
        levels(2, *SHAPE, dtype=np.uint16),
        np.asfortranarray(levels(*SHAPE, dtype=np.float32)),
        levels(*SHAPE).astype(">i4"),
        levels(*SHAPE) > 100,
    ]
    return [_saved(array) for array in arrays]


def _saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


VIDEOS = (("MJPG", "avi"), ("FFV1", "mkv"), ("mp4v", "mp4"), ("PNG ", "avi"), ("HFYU", "avi"))


@cache
def video_seeds() -> tuple[bytes, ...]:
    """Three small frames in the codecs and containers that OpenCV writes."""
    with tempfile.TemporaryDirectory() as folder:
        found = [_video(Path(folder) / f"{codec}.{suffix}", codec) for codec, suffix in VIDEOS]
    return tuple(content for content in found if content)


def _video(path: Path, codec: str) -> bytes:
    code = cv2.VideoWriter.fourcc(*codec)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 25, (48, 32))
    for frame in levels(3, 32, 48, 3):
        writer.write(frame)
    writer.release()
    return path.read_bytes() if path.exists() else b""


def file_of(write: Callable[[Path], object], pattern: str) -> list[bytes]:
    """Files of a pattern that a writer of datasets leaves."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        return [path.read_bytes() for path in sorted(Path(folder).glob(pattern))]


def coco_seeds() -> list[bytes]:
    """Our own file, and one with outlines, a crowd and packed run lengths."""
    (own,) = file_of(lambda root: write_coco(root, "test", samples()), "annotations/*.json")
    other = {
        "images": [{"id": "7", "file_name": "images/a.png", "width": 16, "height": 12}],
        "annotations": [
            {"id": 1, "image_id": "7", "segmentation": [[1, 1, 5, 1, 5, 4]], "category_id": 2},
            {"image_id": "7", "bbox": [1.5, 2, 3, 4], "iscrowd": 1},
            {
                "image_id": "7",
                "bbox": [0, 0, 2, 2],
                "segmentation": {"size": [12, 16], "counts": "0b6"},
            },
        ],
        "categories": [{"id": 2, "name": "ship"}],
    }
    return [own, json.dumps(other).encode()]


def voc_seeds() -> list[bytes]:
    """Annotations of frames with and without targets."""
    return file_of(lambda root: write_voc(root, "test", samples()), "Annotations/*.xml")


def label_seeds() -> list[bytes]:
    """Our own labels, and an outline."""
    own = file_of(lambda root: write_yolo(root, "test", samples()), "labels/test/*.txt")
    return [*own, b"3 0.1 0.1 0.5 0.1 0.5 0.5\n0 0.5 0.5 0.25 0.5\n"]


def data_yaml_seeds() -> list[bytes]:
    """Our own data.yaml, and one as exports write it."""
    own = file_of(lambda root: write_yolo(root, "test", samples()), "data.yaml")
    return [
        *own,
        b"path: .\ntrain: ../images/test\nval: [images/test, test.txt]\nnc: 1\nnames: [ship]\n",
        b"train: &a images\nval: *a\nnames:\n  0: ship\n  1: 'plane'\n",
    ]


def list_seeds() -> list[bytes]:
    """Lists of ids with what is found in them."""
    return [
        b"a\nb\n",
        b"\xef\xbb\xbfa\r\n\r\n b \r\n",
        b"# note\na\ndeep/b\n",
        b"a.png 1\nb.png -1",
    ]


def predictions_seeds() -> list[bytes]:
    """Entries as `detect` writes them."""
    found = Detections([[3.0, 4.5], [10, 1]], [0.9, 0.25], np.array(BOXES))
    entries = [frame_entry("a", found, found.scores), frame_entry("b", Detections([], []))]
    meta = {"detector": "mpcm", "threshold": 5.0, "floor": 1.0, "merge_px": 3.5}
    return [
        json.dumps({"detections": entries, **meta}).encode(),
        b'{"detections": [{"id": "a", "points": [[1, 2, Infinity]]}]}',
    ]


def card_properties() -> dict[str, str]:
    """Properties of a calibrated network."""
    calibration = Calibration(
        Platt(1.5, -0.5),
        Platt(1.2, -0.4),
        ((0.1, 0.6), (1.0, 0.3)),
        (Bin(0.05, 90, 0.04), Bin(0.9, 30, 0.93)),
        64,
        "made up",
    )
    return Card("tiny", 0.02, 0.3, calibration.to_json(), 0.2).properties()


def card_seeds() -> list[bytes]:
    """The properties as one JSON object of texts."""
    clutter = json.dumps({"rank": 20, "weight": 0.5, "typical": 0.1})
    return [json.dumps(found).encode() for found in (card_properties(), _with(clutter=clutter))]


def _with(**more: str) -> dict[str, str]:
    return {**card_properties(), **more}


def options_seeds() -> list[bytes]:
    """Options of a training run, plain and as its run.json."""
    return [
        b"model: oscar_nano\niterations: 4000\nlr: 1e-3\nbf16: on\nmixture:\n  target: 0.5\n",
        json.dumps({"format": "x", "options": {"seed": 1, "mining": {"start": 0}}}).encode(),
    ]


def weights_seeds() -> list[bytes]:
    """A file of two small tensors, described as ours are."""
    import torch
    from safetensors.torch import save

    tensors = {"one": torch.zeros(3), "two.bias": torch.ones(2, 2, dtype=torch.float16)}
    return [
        save(tensors, {**card_properties(), "name": "none", "architecture": "cascade"}),
        save({}, {"architecture": "none", "widths": json.dumps({"stages": [1, 2]})}),
    ]


def onnx_seeds() -> list[bytes]:
    """A graph that gives one box, with our properties."""
    from onnx import TensorProto, helper

    frame = helper.make_tensor_value_info("frame", TensorProto.FLOAT, [1, 2, "H", "W"])
    boxes = helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 4])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1])
    constants = [
        helper.make_node(
            "Constant", [], [name], value=helper.make_tensor(name, TensorProto.FLOAT, dims, values)
        )
        for name, dims, values in (("boxes", [1, 4], [1, 2, 3, 4]), ("still", [1], [0.5]))
    ]
    nodes = [
        helper.make_node("ReduceMax", ["frame"], ["most"], keepdims=0),
        helper.make_node("Mul", ["most", "still"], ["scores"]),
    ]
    graph = helper.make_graph([*constants, *nodes], "tiny", [frame], [boxes, scores])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="seeds"
    )
    properties = {key: text for key, text in card_properties().items() if key != "scene_start"}
    helper.set_model_props(model, properties)
    return [model.SerializeToString()]


def record_seeds() -> list[bytes]:
    """A record of a training run."""
    facts = {"frames": 3, "targets": 2, "fingerprint": "0"}
    record = {
        "format": "deepir training run 1",
        "options": {"seed": 1, "mixture": {"target": 0.5}},
        "train": facts,
        "val": None,
        "init": None,
        "visits": [{"started": "now"}],
        "results": {"status": "started", "iteration": 0},
    }
    return [json.dumps(record).encode()]
