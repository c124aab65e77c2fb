"""``model.export``, and what Keras's and TensorFlow's exporters need."""

import importlib.util
from collections.abc import Callable
from typing import Any, Literal

import keras

from tfflow.atomic_file import atomic_file
from tfflow.ops.native import builtin_operators, reference_ops
from tfflow.types import ModelMixin, PathLike


class Exportable(ModelMixin):
    """Gives Keras's exporters the input shapes, which a network that builds itself never notes."""

    # Keras's and TensorFlow's exporters (TFLiteConverter.from_keras_model) read a model's inputs
    # here. Keras stores build's arguments; our build needs none.
    @property
    def _build_shapes_dict(self):
        return {"input_shape": self._input_shapes()}

    @_build_shapes_dict.setter
    def _build_shapes_dict(self, noted):
        pass

    in_float32: Callable[[], Any]  # of the model's parts

    def quantize(self, mode: str | None = None, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"Keras quantizes dense layers alone, and {self.name} has none. For a file in int8: "
            'tfflow.tflite.export(model, "NAME.tflite", quantization="int8").'
        )

    def input_signature(self, size: tuple[int, int] | None = None) -> list[dict[str, Any]]:
        """The input signature for :meth:`export`: one dictionary of two images.

        Args:
            size: (height, width) of the images; None for any.
        """
        height, width = size or (None, None)
        return [
            {
                name: keras.layers.InputSpec(
                    shape=(None if size is None else 1, height, width, shape[-1]),
                    dtype="float32",
                    name=name,
                )
                for name, shape in self._input_shapes().items()
            }
        ]

    def export(
        self,
        filepath: PathLike,
        format: Literal["tf_saved_model", "onnx", "openvino", "litert"] = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Like ``keras.Model.export``: a file or folder that runs without this package.

        It computes the same as a call, in float32. For phones, :func:`tfflow.tflite.export` offers
        more: int8, and a faster file with only what ``flow`` needs.

        Args:
            filepath: Where to write.
            format: ``"tf_saved_model"``, ``"onnx"`` (with ``pip install tf2onnx``), ``"openvino"``
                (``pip install openvino``), or ``"litert"``, of LiteRT's builtin operators alone.
            verbose: As in Keras.
            input_signature: Result of :meth:`input_signature`; None for any batch and image size.
            **kwargs: As in Keras.

        Raises:
            ImportError: If the format needs a package that is not installed.
            ValueError: If tf2onnx makes an ONNX file that can't be run; nothing is written.
        """
        if format == "onnx" and importlib.util.find_spec("tf2onnx") is None:
            raise ImportError("Exporting to ONNX needs tf2onnx: pip install tf2onnx")
        if input_signature is None:
            input_signature = self.input_signature()
        twin = self.in_float32()
        if twin is not self:
            return twin.export(filepath, format, verbose, input_signature, **kwargs)
        if format == "litert":
            # Keras also allows TensorFlow's operators, which LiteRT on phones can't run.
            kwargs = {"target_spec": builtin_operators(), **kwargs}
        settings = {"format": format, "verbose": verbose, "input_signature": input_signature}
        # No exported file may need this package's kernels.
        with reference_ops():
            if format == "onnx":
                with atomic_file(filepath) as temporary:
                    super().export(str(temporary), **settings, **kwargs)
                    self._check_onnx(temporary)
            else:
                super().export(str(filepath), **settings, **kwargs)

    def _check_onnx(self, path):
        """Raises ValueError where tf2onnx lost track of the maps' axes."""
        import onnx

        try:
            onnx.checker.check_model(str(path), full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ValueError(
                f"tf2onnx makes a file of {self.name} that can't be run. It does so where a map "
                f"has a single row or column: give a size of at least twice {self.multiple}."
            ) from error
