"""Two targets whose windows overlap: why peaks are read in the joint map."""

from __future__ import annotations

import numpy as np
from pictures.panel import Colours, Panel, Pixels, greys, heat

from deepir.noco import noco_map, noco_peaks
from deepir.simulate import Target, plant, simulate_scene

ZOOM = 11
NOTHING = np.zeros((0, 2))
LEFT, TOP, RIGHT, BOTTOM = 12, 15, 32, 33


def draw() -> list[Panel]:
    """The frame, the map of the first box alone, the joint map."""
    image = simulate_scene(seed=3, shape=(48, 48), clutter="cloud", targets=0, bits=14).image
    first = plant(image, Target(20.3, 22.0, scr=6, sigma=1.1, size=3.0))
    second = plant(first.image, Target(24, 25, scr=20, sigma=0.8), boxes=[first.box])
    frame, boxes = second.image, np.array([first.box, second.box])
    alone = noco_peaks(frame, boxes, believed=np.zeros(2, dtype=bool))
    together = noco_peaks(frame, boxes)
    own, joint = noco_map(frame, boxes[:1]), noco_map(frame, boxes)
    (x, y), (joint_x, joint_y) = alone[0].astype(int), together[0].astype(int)
    lost, kept = joint[y, x], joint[joint_y, joint_x]
    assert lost < 0.5 < kept, "the picture needs a peak that the neighbour repaints"
    shown = greys(frame, None, 1.2 * float(first.image.max()) - 0.2 * float(image.min()))
    return [
        _tile("The frame", "Two targets, their boxes a pixel apart.", shown, boxes),
        _tile(
            f"The first box alone: peak ({x}, {y})",
            "A circle marks the peak of the first box.",
            heat(own),
            boxes,
            hits=alone[:1],
        ),
        _tile(
            f"Joint map: peak ({joint_x}, {joint_y})",
            "The second window repaints a part of the first box. A cross marks where the peak of"
            " the first box was, circles the peaks of the joint map. There the first box has"
            f" {lost:.2f} at ({x}, {y}) and {kept:.2f} at ({joint_x}, {joint_y}).",
            heat(joint),
            boxes,
            hits=together,
            lost=alone[:1],
        ),
    ]


def _tile(
    title: str,
    says: str,
    colours: Colours,
    boxes: np.ndarray,
    *,
    hits: np.ndarray = NOTHING,
    lost: np.ndarray = NOTHING,
) -> Panel:
    panel = Panel(title, says, (RIGHT - LEFT) * ZOOM, (BOTTOM - TOP) * ZOOM)
    pixels = Pixels(panel, ZOOM, x=LEFT, y=TOP)
    pixels.fill(colours[TOP:BOTTOM, LEFT:RIGHT])
    for box in boxes:
        pixels.box(box.tolist(), "mark")
    for x, y in lost.tolist():
        panel.cross(pixels.middle(x, y), "false")
    for x, y in hits.tolist():
        panel.circle(pixels.middle(x, y), 7, "hit")
    return panel
