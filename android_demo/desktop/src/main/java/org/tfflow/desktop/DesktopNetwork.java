package org.tfflow.desktop;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tfflow.core.network.FlowEngineException;
import org.tfflow.core.network.Network;
import org.tfflow.core.network.TensorSpec;

/** A .tflite on LiteRT's C library, through JNA: the phone's runtime on a desktop's CPU. */
public final class DesktopNetwork implements Network {
    private static final int PER_TENSOR = 1; // kLiteRtQuantizationPerTensor

    /** A tensor of the signature: what it is, and the memory that LiteRT uses for it. */
    private static final class Slot {
        TensorSpec spec;
        Pointer buffer;
    }

    /** A signature: its place in the file, and its tensors in their order, once it is used. */
    private static final class Signature {
        final Size index;
        final Pointer pointer;
        final Map<String, Slot> inputs = new LinkedHashMap<>();
        final Map<String, Slot> outputs = new LinkedHashMap<>();

        Signature(Size index, Pointer pointer) {
            this.index = index;
            this.pointer = pointer;
        }
    }

    private final Path library;
    private final Path file;
    private final Deque<Runnable> toClose = new ArrayDeque<>();
    private final Map<String, Signature> signatures = new LinkedHashMap<>();
    private LiteRt litert;
    private Pointer environment;
    private Pointer compiled;

    /**
     * @param library ai-edge-litert's libLiteRt.so
     * @param file a .tflite with signatures
     */
    public DesktopNetwork(Path library, Path file) {
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
        Pointer opened = made.getValue();
        toClose.push(() -> litert.LiteRtDestroyEnvironment(opened));
        environment = opened;

        check(
                litert.LiteRtCreateModelFromFile(environment, file.toString(), made),
                "read the file");
        Pointer model = made.getValue();
        toClose.push(() -> litert.LiteRtDestroyModel(model));

        findSignatures(model);
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
        compiled = network;
    }

    private void findSignatures(Pointer model) {
        SizeByReference count = new SizeByReference();
        check(litert.LiteRtGetNumModelSignatures(model, count), "count the signatures");
        if (count.get() == 0) {
            throw new FlowEngineException(
                    file + " has no signature, so its tensors have no names: export it with"
                            + " tfflow");
        }
        PointerByReference found = new PointerByReference();
        for (int i = 0; i < count.get(); i++) {
            check(litert.LiteRtGetModelSignature(model, new Size(i), found), "find a signature");
            Signature signature = new Signature(new Size(i), found.getValue());
            check(litert.LiteRtGetSignatureKey(signature.pointer, found), "read its name");
            signatures.put(found.getValue().getString(0), signature);
        }
    }

    /** A signature of this name, with memory for its tensors. */
    private Signature signature(String name) {
        if (compiled == null) {
            throw new IllegalStateException("call load() first");
        }
        Signature signature =
                name.equals(FIRST) ? signatures.values().iterator().next() : signatures.get(name);
        if (signature == null) {
            throw new FlowEngineException(
                    file + ": expected a signature " + name + "; it has " + signatures.keySet());
        }
        if (signature.outputs.isEmpty()) {
            makeSlots(signature, true);
            makeSlots(signature, false);
        }
        return signature;
    }

    /** Finds all inputs, or all outputs, and makes LiteRT's memory for them. */
    private void makeSlots(Signature signature, boolean input) {
        SizeByReference count = new SizeByReference();
        check(
                input
                        ? litert.LiteRtGetNumSignatureInputs(signature.pointer, count)
                        : litert.LiteRtGetNumSignatureOutputs(signature.pointer, count),
                "count the tensors");
        PointerByReference found = new PointerByReference();
        for (int i = 0; i < count.get(); i++) {
            Size index = new Size(i);
            check(
                    input
                            ? litert.LiteRtGetSignatureInputName(signature.pointer, index, found)
                            : litert.LiteRtGetSignatureOutputName(signature.pointer, index, found),
                    "read a tensor's name");
            String name = found.getValue().getString(0);
            Map<String, Slot> slots = input ? signature.inputs : signature.outputs;
            slots.put(name, slot(signature, name, index, input));
        }
    }

    private Slot slot(Signature signature, String name, Size index, boolean input) {
        PointerByReference found = new PointerByReference();
        check(
                input
                        ? litert.LiteRtGetSignatureInputTensorByIndex(signature.pointer, index, found)
                        : litert.LiteRtGetSignatureOutputTensorByIndex(signature.pointer, index, found),
                "find " + name);
        Pointer tensor = found.getValue();
        Memory type = new Memory(LiteRt.TENSOR_TYPE_SIZE);
        type.clear();
        check(litert.LiteRtGetRankedTensorType(tensor, type), "read the shape of " + name);
        Slot slot = new Slot();
        slot.spec = spec(name, tensor, type);
        check(
                input
                        ? litert.LiteRtGetCompiledModelInputBufferRequirements(
                                compiled, signature.index, index, found)
                        : litert.LiteRtGetCompiledModelOutputBufferRequirements(
                                compiled, signature.index, index, found),
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

    /** The names of the file's signatures, in its order; after {@link #load}. */
    public Set<String> signatures() {
        signature(FIRST); // is it loaded?
        return signatures.keySet();
    }

    /** The names of a signature's inputs, in its order. */
    public List<String> inputs(String signature) {
        return new ArrayList<>(signature(signature).inputs.keySet());
    }

    /** The names of a signature's outputs, in its order. */
    public List<String> outputs(String signature) {
        return new ArrayList<>(signature(signature).outputs.keySet());
    }

    @Override
    public TensorSpec input(String signature, String name) {
        return slot(signature(signature).inputs, name).spec;
    }

    @Override
    public TensorSpec output(String signature, String name) {
        return slot(signature(signature).outputs, name).spec;
    }

    @Override
    public boolean hasOutput(String signature, String name) {
        return signature(signature).outputs.containsKey(name);
    }

    private Slot slot(Map<String, Slot> slots, String name) {
        Slot slot = slots.get(name);
        if (slot == null) {
            throw new FlowEngineException(
                    file + ": expected a tensor " + name + "; it has " + slots.keySet());
        }
        return slot;
    }

    @Override
    public void run(
            String name, Map<String, ByteBuffer> given, Map<String, ByteBuffer> results) {
        Signature signature = signature(name);
        checkNames("inputs", signature.inputs, given);
        checkNames("outputs", signature.outputs, results);
        given.forEach((input, bytes) -> copy(signature.inputs.get(input), bytes, true));
        check(
                litert.LiteRtRunCompiledModel(
                        compiled,
                        signature.index,
                        new Size(signature.inputs.size()),
                        buffers(signature.inputs),
                        new Size(signature.outputs.size()),
                        buffers(signature.outputs)),
                "run");
        results.forEach((output, bytes) -> copy(signature.outputs.get(output), bytes, false));
    }

    private void checkNames(
            String what, Map<String, Slot> slots, Map<String, ByteBuffer> given) {
        if (!slots.keySet().equals(given.keySet())) {
            throw new FlowEngineException(
                    file + ": expected the " + what + " " + slots.keySet() + "; got "
                            + given.keySet());
        }
    }

    private static Pointer[] buffers(Map<String, Slot> slots) {
        return slots.values().stream().map(slot -> slot.buffer).toArray(Pointer[]::new);
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

    private void check(int status, String what) {
        if (status != 0) {
            throw new FlowEngineException(
                    "LiteRT could not " + what + " (" + file + "): status " + status);
        }
    }

    @Override
    public void close() {
        compiled = null;
        signatures.clear();
        while (!toClose.isEmpty()) {
            toClose.pop().run();
        }
    }
}
