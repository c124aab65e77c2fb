package org.tfflow.desktop;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The functions of LiteRT's C API (libLiteRt.so of ai-edge-litert 2.3) that running a file needs.
 *
 * <p>Each gives a status, 0 for success. LiteRtParamIndex and size_t are both 64 bits here.
 */
interface LiteRt extends Library {
    /** kLiteRtHwAcceleratorCpu. */
    int CPU = 1;

    /** kLiteRtTensorBufferLockModeRead. */
    int READ = 0;

    /** kLiteRtTensorBufferLockModeWrite. */
    int WRITE = 1;

    /** sizeof(LiteRtRankedTensorType): type at 0, rank in 7 bits at 4, sides at 8. */
    int TENSOR_TYPE_SIZE = 72;

    /**
     * Opens the library, or gives it again. It stays loaded: JNA would unload it with the last object
     * that holds it, and what it has registered for the process's end would crash there.
     */
    static LiteRt open(Path library) {
        return Opened.LIBRARIES.computeIfAbsent(
                library.toAbsolutePath(), path -> Native.load(path.toString(), LiteRt.class));
    }

    /** The libraries that are open. */
    final class Opened {
        private static final Map<Path, LiteRt> LIBRARIES = new ConcurrentHashMap<>();

        private Opened() {}
    }

    int LiteRtCreateEnvironment(int optionCount, Pointer options, PointerByReference environment);

    void LiteRtDestroyEnvironment(Pointer environment);

    int LiteRtCreateModelFromFile(Pointer environment, String file, PointerByReference model);

    void LiteRtDestroyModel(Pointer model);

    int LiteRtCreateOptions(PointerByReference options);

    int LiteRtSetOptionsHardwareAccelerators(Pointer options, int accelerators);

    void LiteRtDestroyOptions(Pointer options);

    int LiteRtCreateCompiledModel(
            Pointer environment, Pointer model, Pointer options, PointerByReference compiled);

    void LiteRtDestroyCompiledModel(Pointer compiled);

    int LiteRtGetNumModelSignatures(Pointer model, SizeByReference count);

    int LiteRtGetModelSignature(Pointer model, Size index, PointerByReference signature);

    int LiteRtGetSignatureKey(Pointer signature, PointerByReference key);

    int LiteRtGetNumSignatureInputs(Pointer signature, SizeByReference count);

    int LiteRtGetNumSignatureOutputs(Pointer signature, SizeByReference count);

    int LiteRtGetSignatureInputName(Pointer signature, Size index, PointerByReference name);

    int LiteRtGetSignatureOutputName(Pointer signature, Size index, PointerByReference name);

    int LiteRtGetSignatureInputTensorByIndex(
            Pointer signature, Size index, PointerByReference tensor);

    int LiteRtGetSignatureOutputTensorByIndex(
            Pointer signature, Size index, PointerByReference tensor);

    int LiteRtGetRankedTensorType(Pointer tensor, Pointer type);

    int LiteRtGetQuantizationTypeId(Pointer tensor, IntByReference id);

    int LiteRtGetPerTensorQuantization(Pointer tensor, Pointer scaleAndZeroPoint);

    int LiteRtGetCompiledModelInputBufferRequirements(
            Pointer compiled, Size signature, Size index, PointerByReference requirements);

    int LiteRtGetCompiledModelOutputBufferRequirements(
            Pointer compiled, Size signature, Size index, PointerByReference requirements);

    int LiteRtCreateManagedTensorBufferFromRequirements(
            Pointer environment, Pointer type, Pointer requirements, PointerByReference buffer);

    void LiteRtDestroyTensorBuffer(Pointer buffer);

    int LiteRtLockTensorBuffer(Pointer buffer, PointerByReference memory, int mode);

    int LiteRtUnlockTensorBuffer(Pointer buffer);

    int LiteRtRunCompiledModel(
            Pointer compiled,
            Size signature,
            Size inputCount,
            Pointer[] inputs,
            Size outputCount,
            Pointer[] outputs);
}
