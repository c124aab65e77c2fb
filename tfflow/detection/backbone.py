"""The detector's backbone: a MobileNet of keras.applications, with its weights of ImageNet."""

import os
import pathlib
import warnings

import keras

# Per network of keras.applications: its class, its last map of stride 16 and that of stride 32.
BACKBONES = {
    "mobilenet": ("MobileNet", "conv_pw_11_relu", "conv_pw_13_relu"),
    "mobilenet_v2": ("MobileNetV2", "block_13_expand_relu", "out_relu"),
}


def make_backbone(name, alpha, weights):
    """Images in [-1, 1] to the maps of stride 16 and 32, as a Keras model.

    Args:
        name: One of :data:`BACKBONES`.
        alpha: Factor on the channels.
        weights: None, ``"imagenet"`` or a file.

    Raises:
        ValueError: If there are no weights for this ``alpha``, or the file is for another network.
        FileNotFoundError: If there is no such file.
        OSError: If the download fails.
    """
    kind, fine, coarse = BACKBONES[name]
    if weights not in (None, "imagenet") and not pathlib.Path(weights).is_file():
        raise FileNotFoundError(
            f'There are no weights at {weights}; expected a .h5 file of {kind}, or "imagenet".'
        )
    try:
        with warnings.catch_warnings():
            # That weights for 224x224 are loaded, as for every other size.
            warnings.filterwarnings("ignore", "`input_shape` is undefined")
            network = getattr(keras.applications, kind)(
                input_shape=(None, None, 3), include_top=False, weights=weights, alpha=alpha
            )
    except Exception as error:  # what get_file raises is nothing more special
        if weights is None:
            raise
        if weights != "imagenet":
            raise ValueError(
                f"{weights} does not hold the weights of {kind} with alpha={alpha}, without its "
                f"last layers (…_no_top.h5): {error}"
            ) from error
        if isinstance(error, ValueError):  # of keras.applications, about alpha
            raise
        folder = pathlib.Path(os.environ.get("KERAS_HOME", "~/.keras"), "models").expanduser()
        raise OSError(
            f"The ImageNet weights of {kind} could not be loaded: {error}. Fetch that file on a "
            f"computer that can, and put it into {folder} under its own "
            "name, or give it as weights=FILE (--weights FILE)."
        ) from error
    outputs = [network.get_layer(layer).output for layer in (fine, coarse)]
    return keras.Model(network.input, outputs, name="backbone")
