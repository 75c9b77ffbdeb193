"""Bad files leave the user's terminal alone."""

import os
import struct
import subprocess
import sys
import threading
import zlib

import cv2
import numpy as np
import tifffile

from deepir.frames import BadFrame, Frame
from deepir.frames.quiet import quiet

READ_ALL = """
import sys
from deepir.frames import find_sources
print("begins", file=sys.stderr)
for source in find_sources(sys.argv[1:]):
    source.count()
    for frame in source.frames():
        print(type(frame).__name__, frame.id)
print("ends", file=sys.stderr)
"""


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_bad_files(folder, write_video, noise):
    image = noise(32, 48)
    header = struct.pack(">IIBBBBB", 2**31 - 1, 9, 8, 0, 0, 0, 0)
    (folder / "absurd.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")
    )
    jpeg = bytearray(cv2.imencode(".jpg", image)[1])
    jpeg[len(jpeg) // 2 : len(jpeg) // 2 + 9] = b"\x55" * 9
    (folder / "damaged.jpg").write_bytes(jpeg)
    (folder / "cut.png").write_bytes(cv2.imencode(".png", image)[1].tobytes()[:-30])
    (folder / "text.bmp").write_text("no image")
    tifffile.imwrite(folder / "cut.tif", noise(5, 32, 48))
    os.truncate(folder / "cut.tif", 5000)
    lzw = bytearray(cv2.imencode(".tif", noise(32, 48, dtype="uint16"))[1])
    lzw[60:90] = b"\xff" * 30
    (folder / "damaged.tif").write_bytes(lzw)
    for name, codec in (("cut.avi", "MJPG"), ("cut.mkv", "FFV1"), ("cut.mp4", "mp4v")):
        content = write_video(folder / name, codec, list(noise(6, 32, 48)))
        (folder / name).write_bytes(content[: len(content) // 2])
    (folder / "text.webm").write_text("no video")


def test_nothing_is_printed_for_bad_files(tmp_path, write_video, noise):
    write_bad_files(tmp_path, write_video, noise)
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr.split() == ["begins", "ends"]
    kinds = {line.split()[0] for line in done.stdout.splitlines()}
    assert kinds == {Frame.__name__, BadFrame.__name__}


def test_python_and_opencv_can_speak_again_afterwards(capfd):
    log_level = getattr(cv2, "getLogLevel", None) or cv2.utils.logging.getLogLevel
    before = log_level()
    with quiet(), quiet():
        os.write(2, b"lost")
        assert log_level() == 0
    os.write(2, b"kept")
    assert capfd.readouterr().err == "kept"
    assert log_level() == before


def test_parallel_use_restores_the_terminal(capfd):
    def decode():
        for _ in range(200):
            with quiet():
                np.zeros(9).sum()

    threads = [threading.Thread(target=decode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"kept")
    assert capfd.readouterr().err == "kept"
