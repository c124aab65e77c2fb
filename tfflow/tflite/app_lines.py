"""The lines of code with which an app runs an exported file, with its names, sizes and types."""

from tfflow.tflite.interpreter import FlowInterpreter
from tfflow.types import PathLike

_TEXT = """\
In your app: {inputs} in, {flow}{confidence} out.
{flow_means}{confidence_means}{streaming}

Kotlin, com.google.ai.edge.litert:litert (or with a self-check, see docs/in_your_app.md):
    val options = CompiledModel.Options(Accelerator.CPU)
    options.cpuOptions = CompiledModel.CpuOptions(numThreads = 4)  // one, if nothing is said
    val model = CompiledModel.create(context.assets, "{file}", options, null)
    val inputs = listOf("image1", "image2").associateWith {{ model.createInputBuffer(it, "flow") }}
    val outputs = listOf({outputs}).associateWith {{ model.createOutputBuffer(it, "flow") }}
    {kotlin_write}
    model.run(inputs, outputs, "flow")
    val flow = outputs.getValue("flow").{kotlin_read}()  // size {count}

Swift, TensorFlowLiteSwift:
    let path = Bundle.main.path(forResource: "{stem}", ofType: "tflite")!
    let model = try Interpreter(modelPath: path)
    try model.allocateTensors()
    try model.copy(image1, toInputAt: {first})  // Data of {bytes} bytes
    try model.copy(image2, toInputAt: {second})
    try model.invoke()
    let flow = try model.output(at: 0).data  // {count} {swift} values

JavaScript, @litertjs/core:
    {javascript}

Python, with tfflow (or ai-edge-litert alone: get_signature_runner("flow")):
    flow = tfflow.tflite.FlowInterpreter("{file}").predict_flow(image1, image2)  # of any size
"""
_STREAMING = """
For videos, signature encode gives a frame's features, and match the flow from both frames' features
(docs/streaming.md)."""
_JAVASCRIPT = """\
await loadLiteRt("node_modules/@litertjs/core/wasm/");  // where these files are served
    const model = await loadAndCompile("{file}", {{ accelerator: "wasm" }});
    const [image1, image2] = images.map((values) => new Tensor(values, [{shape}]));
    const {{ flow }} = await model.signatures.flow.run({{ image1, image2 }});"""
_NAMES = {
    # dtype -> (Kotlin's write and array, its read, Swift's type)
    "float32": ("writeFloat", "FloatArray", "readFloat", "Float32"),
    "int8": ("writeInt8", "ByteArray", "readInt8", "Int8"),
    "uint8": ("writeInt8", "ByteArray", "readInt8", "UInt8"),
}


def usage(path: PathLike) -> str:
    """How an app runs a file: lines in Kotlin, Swift, JavaScript and Python.

    Args:
        path: A file written by :func:`tfflow.tflite.export`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not an exported flow network.
    """
    interpreter = FlowInterpreter(path, threads=1)
    image, flow = interpreter.inputs["image1"], interpreter.output
    kind, result = image["dtype"].__name__, flow["dtype"].__name__
    write, array, _, _ = _NAMES[kind]
    _, _, read, swift = _NAMES[result]
    shape = ", ".join(map(str, image["shape"]))
    values = _range(image)
    first, second = _places(interpreter)
    return _TEXT.format(
        inputs=f"image1 and image2, each ({shape}) {kind}, {values}",
        flow=f"flow ({', '.join(map(str, flow['shape']))}) {result}",
        outputs=", ".join(f'"{name}"' for name in interpreter.outputs),
        **_confidence(interpreter),
        streaming=_STREAMING if interpreter.siamese else "",
        flow_means="flow[y, x] = (u, v): pixels to the right and down, from image1 to image2"
        + _scaled(flow),
        file=interpreter.path.name,
        stem=interpreter.path.stem,
        count=flow["shape"].prod(),
        bytes=image["shape"].prod() * image["dtype"]().itemsize,
        first=first,
        second=second,
        kotlin_write=f'inputs.getValue("image1").{write}(image1)  // {array}'
        f"({image['shape'].prod()}); image2 likewise",
        kotlin_read=read,
        swift=swift,
        javascript=_JAVASCRIPT.format(file=interpreter.path.name, shape=shape)
        if kind == result == "float32"
        else "none: LiteRT.js has no integer images; export it as int8, float16 or float32",
    )


def _confidence(interpreter):
    if not interpreter.gives_confidence:
        return {"confidence": "", "confidence_means": ""}
    shape, flow = interpreter.outputs["confidence"]["shape"], interpreter.output["shape"]
    height, width = (large // small for large, small in zip(flow[1:3], shape[1:3]))
    return {
        "confidence": f" and confidence ({', '.join(map(str, shape))}) float32",
        "confidence_means": "\nconfidence[y, x]: from 0 to 1, how far the network trusts "
        + ("flow[y, x]" if height == width == 1 else f"the {height}x{width} pixels of flow there"),
    }


def _range(details):
    scale, zero = details["quantization"]
    return f"RGB in [0, 1] as {1 / scale:.0f} x + {zero}" if scale else "RGB in [0, 1]"


def _scaled(details):
    scale, zero = details["quantization"]
    return f", each {scale:g} x (value - {zero})" if scale else ""


def _places(interpreter):
    """The positions of the two images among the file's inputs, for runtimes without names."""
    order = [details["index"] for details in interpreter.litert.get_input_details()]
    wanted = [interpreter.inputs[name]["index"] for name in ("image1", "image2")]
    if not set(wanted) <= set(order):  # its first signature is another one
        return "image1's place", "image2's place"
    return tuple(order.index(index) for index in wanted)
