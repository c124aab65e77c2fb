"""``model.export`` and what else Keras and TensorFlow export a model by."""

import keras

from tfflow.atomic_file import atomic_file
from tfflow.ops.native import builtin_operators, reference_ops


class Exportable:
    """Lets Keras export a network, which builds itself and so was never told its inputs' shapes."""

    # Keras's exporters and TensorFlow's (TFLiteConverter.from_keras_model) take a model's inputs
    # from here; Keras notes the arguments of build, and ours needs none.
    @property
    def _build_shapes_dict(self):
        return {"input_shape": self._input_shapes()}

    @_build_shapes_dict.setter
    def _build_shapes_dict(self, noted):
        pass

    def quantize(self, mode=None, **kwargs):
        raise NotImplementedError(
            f"Keras quantizes dense layers alone, and {self.name} has none. For a file in int8: "
            'tfflow.tflite.export(model, "NAME.tflite", quantization="int8").'
        )

    def input_signature(self, size=None):
        """What a model is called with, for :meth:`export`: one dictionary of two images.

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
        self, filepath, format="tf_saved_model", verbose=None, input_signature=None, **kwargs
    ):
        """As ``keras.Model.export``: a file or folder that runs without this package.

        It computes what a call computes, in float32. For phones there is more in
        :func:`tfflow.tflite.export`: int8, a file without what ``flow`` does not need, and faster.

        Args:
            filepath: Where to write.
            format: ``"tf_saved_model"``, ``"onnx"`` (with ``pip install tf2onnx``), ``"openvino"``
                (``pip install openvino``), or ``"litert"``, of LiteRT's builtin operators alone.
            verbose: As Keras's.
            input_signature: What :meth:`input_signature` gives; None for images of any number and
                size.
            **kwargs: As Keras's.

        Raises:
            ImportError: If the format needs a package that is not installed.
            ValueError: If tf2onnx makes an ONNX file that can't be run; nothing is written.
        """
        if input_signature is None:
            input_signature = self.input_signature()
        if format == "litert":
            # Keras lets TensorFlow's operators in, which no phone's LiteRT can run.
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
