package org.tfflow.desktop;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.tfflow.core.FlowEngine;
import org.tfflow.core.FlowEngineException;
import org.tfflow.core.TensorSpec;

/** A .tflite of tfflow on LiteRT's C library, through JNA: the phone's runtime on a desktop's CPU. */
public final class DesktopFlowEngine implements FlowEngine {
    private static final String SIGNATURE = "flow";
    private static final String[] INPUTS = {"image1", "image2"};
    private static final int PER_TENSOR = 1; // kLiteRtQuantizationPerTensor

    /** A tensor of the signature: what it is, its place, and the memory that LiteRT uses for it. */
    private static final class Slot {
        TensorSpec spec;
        int index;
        Pointer buffer;
    }

    private final Path library;
    private final Path file;
    private final Deque<Runnable> toClose = new ArrayDeque<>();
    private LiteRt litert;
    private Pointer compiled;
    private Size signatureIndex;
    private Slot image1;
    private Slot image2;
    private Slot flow;
    private Pointer[] inputs;
    private Pointer[] outputs;

    /**
     * @param library ai-edge-litert's libLiteRt.so
     * @param file exported by tfflow
     */
    public DesktopFlowEngine(Path library, Path file) {
        this.library = library;
        this.file = file;
    }

    @Override
    public void load() {
        if (compiled != null) {
            return;
        }
        for (Path path : new Path[] {library, file}) {
            if (!Files.isRegularFile(path)) {
                throw new FlowEngineException("there is no file " + path);
            }
        }
        try {
            open();
        } catch (UnsatisfiedLinkError error) {
            close();
            throw new FlowEngineException(
                    library + " is not the LiteRT library that this is written for: "
                            + "install ai-edge-litert 2.3",
                    error);
        } catch (RuntimeException error) {
            close();
            throw error;
        }
    }

    private void open() {
        litert = LiteRt.open(library);
        PointerByReference made = new PointerByReference();
        check(litert.LiteRtCreateEnvironment(0, null, made), "make an environment");
        Pointer environment = made.getValue();
        toClose.push(() -> litert.LiteRtDestroyEnvironment(environment));

        check(
                litert.LiteRtCreateModelFromFile(environment, file.toString(), made),
                "read the file");
        Pointer model = made.getValue();
        toClose.push(() -> litert.LiteRtDestroyModel(model));

        Pointer signature = findSignature(model);
        check(litert.LiteRtCreateOptions(made), "make options");
        Pointer options = made.getValue();
        toClose.push(() -> litert.LiteRtDestroyOptions(options));
        check(
                litert.LiteRtSetOptionsHardwareAccelerators(options, LiteRt.CPU),
                "choose the CPU");
        check(
                litert.LiteRtCreateCompiledModel(environment, model, options, made),
                "compile the network");
        Pointer network = made.getValue();
        toClose.push(() -> litert.LiteRtDestroyCompiledModel(network));

        image1 = slot(environment, network, signature, INPUTS[0], true);
        image2 = slot(environment, network, signature, INPUTS[1], true);
        flow = slot(environment, network, signature, SIGNATURE, false);
        if (!image1.spec.toString().replace(INPUTS[0], INPUTS[1]).equals(image2.spec.toString())) {
            throw new FlowEngineException(
                    file + ": both images must be alike; got " + image1.spec + " and "
                            + image2.spec);
        }
        inputs = new Pointer[] {null, null};
        inputs[image1.index] = image1.buffer;
        inputs[image2.index] = image2.buffer;
        outputs = new Pointer[] {flow.buffer};
        compiled = network;
    }

    private Pointer findSignature(Pointer model) {
        SizeByReference count = new SizeByReference();
        check(litert.LiteRtGetNumModelSignatures(model, count), "count the signatures");
        PointerByReference found = new PointerByReference();
        PointerByReference key = new PointerByReference();
        for (int i = 0; i < count.get(); i++) {
            check(litert.LiteRtGetModelSignature(model, new Size(i), found), "find a signature");
            check(litert.LiteRtGetSignatureKey(found.getValue(), key), "read a signature's name");
            if (key.getValue().getString(0).equals(SIGNATURE)) {
                Pointer signature = found.getValue();
                SizeByReference given = new SizeByReference();
                check(litert.LiteRtGetNumSignatureInputs(signature, count), "count the inputs");
                check(litert.LiteRtGetNumSignatureOutputs(signature, given), "count the outputs");
                if (count.get() != INPUTS.length || given.get() != 1) {
                    throw new FlowEngineException(
                            file + ": expected two inputs and one output; it has " + count.get()
                                    + " and " + given.get());
                }
                signatureIndex = new Size(i);
                return signature;
            }
        }
        throw new FlowEngineException(
                file + " has no signature 'flow': it is no flow network exported by tfflow");
    }

    /** Finds a tensor by its name, and makes LiteRT's memory for it. */
    private Slot slot(
            Pointer environment, Pointer network, Pointer signature, String name, boolean input) {
        Slot slot = new Slot();
        slot.index = place(signature, name, input);
        Size index = new Size(slot.index);
        PointerByReference found = new PointerByReference();
        check(
                input
                        ? litert.LiteRtGetSignatureInputTensorByIndex(signature, index, found)
                        : litert.LiteRtGetSignatureOutputTensorByIndex(signature, index, found),
                "find " + name);
        Pointer tensor = found.getValue();
        Memory type = new Memory(LiteRt.TENSOR_TYPE_SIZE);
        type.clear();
        check(litert.LiteRtGetRankedTensorType(tensor, type), "read the shape of " + name);
        slot.spec = spec(name, tensor, type);
        check(
                input
                        ? litert.LiteRtGetCompiledModelInputBufferRequirements(
                                network, signatureIndex, index, found)
                        : litert.LiteRtGetCompiledModelOutputBufferRequirements(
                                network, signatureIndex, index, found),
                "ask what memory " + name + " needs");
        PointerByReference made = new PointerByReference();
        check(
                litert.LiteRtCreateManagedTensorBufferFromRequirements(
                        environment, type, found.getValue(), made),
                "make memory for " + name);
        slot.buffer = made.getValue();
        toClose.push(() -> litert.LiteRtDestroyTensorBuffer(slot.buffer));
        return slot;
    }

    private int place(Pointer signature, String name, boolean input) {
        int count = input ? INPUTS.length : 1;
        String[] names = new String[count];
        PointerByReference found = new PointerByReference();
        for (int i = 0; i < count; i++) {
            Size index = new Size(i);
            check(
                    input
                            ? litert.LiteRtGetSignatureInputName(signature, index, found)
                            : litert.LiteRtGetSignatureOutputName(signature, index, found),
                    "read a tensor's name");
            names[i] = found.getValue().getString(0);
            if (names[i].equals(name)) {
                return i;
            }
        }
        throw new FlowEngineException(
                file + ": expected a tensor " + name + "; it has " + Arrays.toString(names));
    }

    private TensorSpec spec(String name, Pointer tensor, Pointer type) {
        int elementType = type.getInt(0);
        int[] shape = type.getIntArray(8, type.getInt(4) & 0x7f);
        // kLiteRtElementTypeFloat32, UInt8 and Int8: TensorFlow Lite's own numbers.
        switch (elementType) {
            case 1:
                return TensorSpec.floats(name, shape);
            case 3:
            case 9:
                IntByReference id = new IntByReference();
                check(litert.LiteRtGetQuantizationTypeId(tensor, id), "read a quantisation");
                if (id.getValue() != PER_TENSOR) {
                    throw new FlowEngineException(name + " has integers without one scale");
                }
                Memory numbers = new Memory(16); // a float, four bytes of padding, an int64
                check(
                        litert.LiteRtGetPerTensorQuantization(tensor, numbers),
                        "read a quantisation");
                return TensorSpec.quantized(
                        name,
                        elementType == 3 ? TensorSpec.Type.UINT8 : TensorSpec.Type.INT8,
                        numbers.getFloat(0),
                        Math.toIntExact(numbers.getLong(8)),
                        shape);
            default:
                throw new FlowEngineException(
                        name + " must be float32, uint8 or int8; its type has the number "
                                + elementType);
        }
    }

    @Override
    public TensorSpec inputSpec() {
        checkLoaded();
        return image1.spec;
    }

    @Override
    public TensorSpec outputSpec() {
        checkLoaded();
        return flow.spec;
    }

    @Override
    public void run(ByteBuffer first, ByteBuffer second, ByteBuffer result) {
        checkLoaded();
        copy(image1, first, true);
        copy(image2, second, true);
        check(
                litert.LiteRtRunCompiledModel(
                        compiled,
                        signatureIndex,
                        new Size(inputs.length),
                        inputs,
                        new Size(outputs.length),
                        outputs),
                "run");
        copy(flow, result, false);
    }

    /** Between a buffer of Java's and LiteRT's memory. */
    private void copy(Slot slot, ByteBuffer java, boolean toLiteRt) {
        int size = slot.spec.byteSize();
        if (java.capacity() != size) {
            throw new IllegalArgumentException(
                    slot.spec + " has " + size + " bytes; got a buffer of " + java.capacity());
        }
        PointerByReference memory = new PointerByReference();
        int mode = toLiteRt ? LiteRt.WRITE : LiteRt.READ;
        check(litert.LiteRtLockTensorBuffer(slot.buffer, memory, mode), "lock a tensor");
        try {
            ByteBuffer mine = java.duplicate();
            mine.clear();
            ByteBuffer theirs = memory.getValue().getByteBuffer(0, size);
            if (toLiteRt) {
                theirs.put(mine);
            } else {
                mine.put(theirs);
            }
        } finally {
            check(litert.LiteRtUnlockTensorBuffer(slot.buffer), "unlock a tensor");
        }
    }

    private void checkLoaded() {
        if (compiled == null) {
            throw new IllegalStateException("call load() first");
        }
    }

    private void check(int status, String what) {
        if (status != 0) {
            throw new FlowEngineException(
                    "LiteRT could not " + what + " (" + file + "): status " + status);
        }
    }

    @Override
    public void close() {
        compiled = null;
        while (!toClose.isEmpty()) {
            toClose.pop().run();
        }
    }
}
