"""The tools on flow, on synthetic clips whose truth is known, with several kinds of flow.

    python benchmarks/flow_tools.py [--clips 12]

Tracking: distance from the truth, px, and points kept, over the frames. Stabilization: jitter of a
shaken clip, before and after. Interpolation: PSNR of the middle of three frames, beside a
cross-fade and the approximation of Super SloMo. Motion mask: IoU with what moves by itself. The
flow is RillFlow's (the int8 file), that of OpenCV's DIS, and the true one. Writes flow_tools.csv
and the tables in docs/tools.md.
"""

import argparse
import dataclasses
import functools
import itertools
import operator
import pathlib

import cv2
import numpy as np
from tables import put_table, write_csv

from tfflow import tflite, tools
from tfflow.data import SceneConfig
from tfflow.data.scenes import motion, render, sample_scene
from tfflow.markdown import markdown_table
from tfflow.tflite.benchmarking import conditions
from tfflow.tools.both_ways import both_ways
from tfflow.weights import preset_tflite

HERE = pathlib.Path(__file__).parent
RESULT = HERE / "flow_tools.csv"
DOCS = HERE.parent / "docs" / "tools.md"
# As a video is: little motion from frame to frame, sharp, with some noise. Rigid: where a point is
# seen at any time is known.
CLIPS = SceneConfig(
    height=256,
    width=384,
    objects=(4, 10),
    motion_scale=0.3,
    acceleration=0.02,
    non_rigid=0,
    blur=0,
    motion_blur=0,
    jpeg=0,
    noise=3,
)
SEED = 24
FRAMES = 25  # of a clip to track points in
AFTER = (1, 8, 24)  # frames
STEP = 16  # px between tracked points
SHAKE = (3.0, 0.006, 0.006)  # typical shift in px, rotation in radians, zoom, each frame anew
STEADY_FRAMES = 45
MARGIN = 24  # px around a frame that is shaken


class Dis:
    """OpenCV's DIS, medium, as a predictor."""

    def __init__(self):
        self.method = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def predict_flow(self, image1, image2):
        greys = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (image1, image2))
        return self.method.calc(*greys, None)


class ByNumber:
    """A predictor for frames of (x, y, number): it sees the pictures of these numbers instead."""

    def __init__(self, predictor, pictures):
        self.predictor, self.pictures = predictor, pictures

    def predict_flow(self, image1, image2):
        numbers = (int(image[0, 0, 2]) for image in (image1, image2))
        return self.predictor.predict_flow(*(self.pictures[number - 1] for number in numbers))


def layer_flows(scene, rendered, start, end):
    """(L, H, W, 2): the flow of each layer of a rigid scene, as if it were everywhere."""
    maps = motion.compose(
        motion.layer_affines(scene, end), motion.invert_affine(motion.layer_affines(scene, start))
    )
    size = rendered.ids.shape[1:]
    return np.stack([tools.camera_flow([*each, [0, 0, 1]], *size) for each in maps])


def true_flow(scene, rendered, start, end):
    """The flow from one frame of a rigid scene to another."""
    layers = rendered.ids[start][None, ..., None]
    return np.take_along_axis(layer_flows(scene, rendered, start, end), layers, axis=0)[0]


class Truth:
    """The truth as a predictor, which knows frames by their identity."""

    def __init__(self, scene, rendered):
        self.scene, self.rendered = scene, rendered

    def predict_flow(self, image1, image2):
        start, end = (
            next(t for t, each in enumerate(self.rendered.images) if np.array_equal(each, image))
            for image in (image1, image2)
        )
        return true_flow(self.scene, self.rendered, start, end)


def tracking(predictor, scene, rendered):
    """After some frames: distances from the truth, who of the seen is kept, of the hidden lost."""
    height, width = rendered.ids.shape[1:]
    points = tools.grid_points(height, width, STEP)
    x, y = points.astype(int).T
    layers = rendered.ids[0][y, x]
    begin = motion.invert_affine(motion.layer_affines(scene, 0))[layers]
    tracks = tools.track(predictor, rendered.images, points)
    found = {}
    hidden = np.zeros(len(points), bool)
    for t in range(1, len(rendered.images)):
        maps = motion.compose(motion.layer_affines(scene, t)[layers], begin)
        truth = np.einsum("nij,nj->ni", maps[:, :, :2], points) + maps[:, :, 2]
        column, row = np.rint(truth).astype(int).T
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        shown = rendered.ids[t][row.clip(0, height - 1), column.clip(0, width - 1)]
        hidden |= ~inside | (shown != layers)
        if t in AFTER:
            kept = tracks.visible[t]
            distance = np.linalg.norm(tracks.points[t] - truth, axis=1)
            found[t] = distance[kept & ~hidden], kept[~hidden], ~kept[hidden]
    return found


def shaken_clip(scene, seed):
    """A clip with shakes: (frames, the background's true motion from frame to frame)."""
    rng = np.random.default_rng(seed)
    frames, steps, before = [], [], None
    rendered = render(scene, STEADY_FRAMES)
    height, width = (side - 2 * MARGIN for side in rendered.ids.shape[1:])
    middle = np.array([width - 1, height - 1]) / 2
    for t, image in enumerate(rendered.images):
        dx, dy = rng.normal(0, SHAKE[0], 2)
        angle, zoom = rng.normal(0, SHAKE[1]), 1 + rng.normal(0, SHAKE[2])
        turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shake = np.eye(3)
        shake[:2, :2], shake[:2, 2] = turn, middle - turn @ middle + (dx, dy)
        shake = shake @ np.array([[1, 0, -MARGIN], [0, 1, -MARGIN], [0, 0, 1.0]])
        frames.append(cv2.warpPerspective(image, shake, (width, height)))
        now = shake @ np.vstack([motion.layer_affines(scene, t)[0], [0, 0, 1]])
        if t:
            steps.append(now @ np.linalg.inv(before))
        before = now
    return frames, steps


def jitter(steps, width, height):
    """Root mean square of the acceleration of the background, px per frame²."""
    x, y = np.meshgrid(np.linspace(0, width - 1, 5), np.linspace(0, height - 1, 5))
    points = np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    accelerations = []
    for arriving, leaving in itertools.pairwise(steps):
        after, before = leaving @ points, np.linalg.inv(arriving) @ points
        accelerations.append(after[:2] / after[2] + before[:2] / before[2] - 2 * points[:2])
    return float(np.sqrt(np.square(accelerations).sum(axis=1).mean()))


def stabilization(predictor, frames, steps, crop):
    """Jitter after, and the share of what is seen that lies outside of the frames."""
    height, width = frames[0].shape[:2]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    # Pixels that say where they come from, so that a frame's correction can be read from it.
    places = (np.float32(np.dstack([x, y, 0 * x + number])) for number in range(1, len(frames) + 1))
    stable = tools.stabilize(ByNumber(predictor, frames), places, crop=crop)
    corrections, outside = [], []
    for number, frame in enumerate(stable, 1):
        seen = frame[..., 2] > number - 1e-3
        source = np.column_stack([frame[seen][:, :2], np.ones(seen.sum())])
        target = np.stack([x[seen], y[seen]], axis=1)
        matrix = np.linalg.lstsq(source, target)[0].T
        corrections.append(np.vstack([matrix, [0, 0, 1]]))
        outside.append(1 - seen.mean())
    moved = [
        after @ step @ np.linalg.inv(before)
        for before, step, after in zip(corrections, steps, corrections[1:])
    ]
    return {"jitter": jitter(moved, width, height), "outside": float(np.mean(outside))}


def psnr(image, truth):
    error = np.square(image.astype(float) - truth).mean()
    return float(10 * np.log10(255**2 / error))


def slomo(first, last, forward, backward):
    """The middle by the linear approximation of Super SloMo (Jiang et al. 2018), equation 4."""
    total, weights = 0.0, 1e-9
    for image, flow in ((first, backward - forward), (last, forward - backward)):
        warped, inside = tools.warp(image, flow / 4, return_mask=True)
        total, weights = total + warped * inside[..., None], weights + inside[..., None]
    return total / weights


def interpolation(predictor, rendered):
    """PSNR of the middle frame, by each way."""
    first, middle, last = rendered.images[:5:2]
    flows = both_ways(predictor, first, last)
    return {
        "interpolate": psnr(tools.interpolate(first, last, *flows), middle),
        "slomo": psnr(slomo(first, last, *flows), middle),
        "cross-fade": psnr(first / 2.0 + last / 2.0, middle),
    }


def overlap(predictor, scene, rendered):
    """Pixels in both masks, and in either: what is found, and what moves by more than a px."""
    still, *_ = layer_flows(scene, rendered, 0, 2)
    moves = np.linalg.norm(true_flow(scene, rendered, 0, 2) - still, axis=-1) > 1
    mask = tools.motion_mask(predictor.predict_flow(*rendered.images[:3:2]))
    return (mask & moves).sum(), (mask | moves).sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=12)
    count = parser.parse_args().clips
    where = conditions()
    wider = {"height": CLIPS.height + 2 * MARGIN, "width": CLIPS.width + 2 * MARGIN}
    results = {}
    file = tflite.FlowInterpreter(preset_tflite("rillflow", "int8"))
    for index in range(count):
        scene = sample_scene(CLIPS, SEED, index)
        rendered = render(scene, FRAMES)
        frames, steps = shaken_clip(
            sample_scene(dataclasses.replace(CLIPS, **wider), SEED, index), index
        )
        for name, predictor in {
            "RillFlow, int8": file,
            "DIS, medium": Dis(),
            "true flow": Truth(scene, rendered),
        }.items():
            found = results.setdefault(name, [])
            found.append(
                {
                    "tracks": tracking(predictor, scene, rendered),
                    "psnr": interpolation(predictor, rendered),
                    "overlap": overlap(predictor, scene, rendered),
                }
            )
            if name != "true flow":
                size = frames[0].shape[1::-1]
                found[-1] |= {"before": jitter(steps, *size)}
                for crop in (0.0, 0.1):
                    found[-1][crop] = stabilization(predictor, frames, steps, crop)
        print(f"{index + 1} of {count} clips", flush=True)
    rows = [{"flow": name, **summary(each)} for name, each in results.items()]
    size = f"{CLIPS.height}x{CLIPS.width}"
    write_csv(RESULT, [{**row, "clips": count, "size": size, **where} for row in rows])
    write_tables(rows)


def summary(found):
    """One row of all clips' results."""
    row = {}
    for t in AFTER:
        distance, kept, lost = (
            np.concatenate(each) for each in zip(*(clip["tracks"][t] for clip in found))
        )
        row |= {
            f"error_px_{t}": round(float(np.median(distance)), 2),
            f"within_3_px_{t}": round(float((distance < 3).mean()), 3),
            f"kept_{t}": round(float(kept.mean()), 3),
            f"hidden_lost_{t}": round(float(lost.mean()), 3),
        }
    shaken = "before" in found[0]
    row["jitter_before"] = round(mean(found, "before"), 2) if shaken else ""
    for crop in (0.0, 0.1):
        for what in ("jitter", "outside"):
            row[f"{what}_crop_{crop:g}"] = round(mean(found, crop, what), 3) if shaken else ""
    for way in found[0]["psnr"]:
        row[f"psnr_{way}"] = round(mean(found, "psnr", way), 2)
    both, either = np.sum([clip["overlap"] for clip in found], axis=0)
    row["iou"] = round(float(both / either), 3)
    return row


def mean(found, *keys):
    return float(np.mean([functools.reduce(operator.getitem, keys, clip) for clip in found]))


def write_tables(rows):
    tables = {
        "tools_track": {
            f"{name}_{t}": f"{title}, {t}"
            for name, title in (("error_px", "px"), ("kept", "kept"), ("hidden_lost", "lost"))
            for t in AFTER
        },
        "tools_stabilize": {
            "jitter_before": "before",
            "jitter_crop_0": "after, crop=0",
            "outside_crop_0": "border in view",
            "jitter_crop_0.1": "after, crop=0.1",
            "outside_crop_0.1": "border in view ",
        },
        "tools_interpolate": {
            "psnr_interpolate": "`interpolate`",
            "psnr_slomo": "Super SloMo's flows",
            "psnr_cross-fade": "cross-fade",
        },
        "tools_motion_mask": {"iou": "IoU"},
    }
    for name, columns in tables.items():
        cells = [
            [row["flow"], *(row[key] for key in columns)]
            for row in rows
            if row[next(iter(columns))] != ""
        ]
        put_table(DOCS, name, markdown_table(["flow", *columns.values()], cells))


if __name__ == "__main__":
    main()
