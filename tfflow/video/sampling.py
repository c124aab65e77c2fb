"""Training clips: key frames, the flow between them, and what shall be found in a frame after."""

import numpy as np

from tfflow.models.prediction import resize
from tfflow.video.boxes import encode


def training_batches(
    clips,
    flow,
    *,
    size,
    batch_size=8,
    keys=2,
    interval=10,
    flow_scale=0.5,
    stride=16,
    seed=0,
):
    """Batches for ``FlowGuidedDetector.fit``, without end, as the paper draws its n + 1 frames.

    Of a random clip a random frame is to be found in. The last key frame lies 0 to ``interval`` - 1
    frames before it, the others ``interval`` frames apart before that. Where a clip begins too
    late, its first frame stands for those before it, as if nothing had moved.

    Args:
        clips: A sequence of clips of ``tfflow.data.VideoFrame`` with an attribute ``classes``.
        flow: Anything with ``predict_flow(image1, image2)`` for batches.
        size: (height, width) that frames are stretched to, multiples of 32.
        batch_size: Frames to be found in, in a batch.
        keys: How many key frames, from 1 up; the GRU learns from 2 up.
        interval: Distance of key frames, in frames.
        flow_scale: The flow is estimated on frames of ``size`` times this.
        stride: Pixels of the image per feature.
        seed: Of the random choice; equal seeds give equal batches.

    Yields:
        ``({"keys": (B, K, H, W, 3), "key_flows": (B, K - 1, h, w, 2), "flow": (B, h, w, 2)},
        {"classes", "sides", "centreness"})``, float32.

    Raises:
        ValueError: If a number is out of its range, or there are no clips.
    """
    for name, value in (("batch_size", batch_size), ("keys", keys), ("interval", interval)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1; got {value!r}.")
    if len(clips) == 0:
        raise ValueError("training_batches expects clips; there are none.")
    return _batches(
        clips,
        flow,
        tuple(size),
        [max(1, round(flow_scale * side)) for side in size],
        (batch_size, keys, interval),
        stride,
        np.random.default_rng(seed),
    )


def _batches(clips, flow, size, flow_size, numbers, stride, rng):
    batch_size, keys, interval = numbers
    features = tuple(side // stride for side in size)
    while True:
        images, targets = [], []
        for _ in range(batch_size):
            clip = clips[int(rng.integers(len(clips)))]
            current = int(rng.integers(len(clip)))
            last = current - int(rng.integers(interval))
            # In order of time, the current frame at the end.
            times = [last - interval * back for back in reversed(range(keys))] + [current]
            frames = [clip[max(0, time)] for time in times]
            images.append([resize(_unit(frame.image), size)[0] for frame in frames])
            found, (height, width) = frames[-1], frames[-1].image.shape[:2]
            scale = np.float32([size[1] / width, size[0] / height] * 2)
            targets.append(
                encode(
                    found.boxes * scale,
                    found.classes,
                    features,
                    stride=stride,
                    count=len(clips.classes),
                )
            )
        images = np.stack([frame for of_sample in images for frame in of_sample])
        small = resize(images, flow_size).reshape(batch_size, keys + 1, *flow_size, 3)
        pairs = (small[:, 1:], small[:, :-1])  # from each frame to the one before it
        flows = flow.predict_flow(*(frames.reshape(-1, *flow_size, 3) for frames in pairs))
        flows = np.asarray(flows, np.float32).reshape(batch_size, keys, *flow_size, 2)
        yield (
            {
                "keys": images.reshape(batch_size, keys + 1, *size, 3)[:, :-1],
                "key_flows": flows[:, :-1],
                "flow": flows[:, -1],
            },
            {name: np.stack([target[name] for target in targets]) for name in targets[0]},
        )


def _unit(image):
    return image[None].astype(np.float32) / np.float32(255)
