package com.google.ai.edge.litert;

import android.content.res.AssetManager;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;
import org.tfflow.core.network.FlowEngineException;
import org.tfflow.core.network.TensorSpec;
import org.tfflow.desktop.DesktopNetwork;
import org.tfflow.fakes.Phone;

/** LiteRT's C library plays the phone's, on whatever accelerator the phone has. */
public final class CompiledModel extends JniHandle {
    public static final class CpuOptions {
        private final Integer numThreads;

        public CpuOptions(
                @Nullable Integer numThreads,
                @Nullable Integer xnnPackFlags,
                @Nullable String xnnPackWeightCachePath) {
            this.numThreads = numThreads;
        }
    }

    public static final class GpuOptions {
        public enum Precision {
            DEFAULT,
            FP16,
            FP32,
            FP16_WITH_FP32_ACCUM
        }

        public enum BufferStorageType {
            DEFAULT,
            BUFFER,
            TEXTURE_2D
        }

        public enum Backend {
            AUTOMATIC,
            OPENCL,
            WEBGPU,
            OPENGL
        }

        public enum Priority {
            DEFAULT,
            LOW,
            NORMAL,
            HIGH
        }

        private final String cache;

        public GpuOptions(
                @Nullable Boolean constantTensorSharing,
                @Nullable Boolean infiniteFloatCapping,
                @Nullable Boolean allowSrcQuantizedFcConvOps,
                @Nullable Precision precision,
                @Nullable BufferStorageType bufferStorageType,
                @Nullable Boolean preferTextureWeights,
                @Nullable String serializationDir,
                @Nullable String modelCacheKey,
                @Nullable Boolean serializeProgramCache,
                @Nullable Boolean serializeExternalTensors,
                @Nullable Boolean externalTensorsMode,
                @Nullable String externalTensorPattern,
                @Nullable Backend backend,
                @Nullable Priority priority,
                @Nullable Integer numStepsOfCommandBufferPreparations) {
            boolean keeps = Boolean.TRUE.equals(serializeProgramCache) && modelCacheKey != null;
            cache = keeps ? serializationDir : null;
        }
    }

    public static final class Options {
        private final Set<Accelerator> accelerators;
        private CpuOptions cpu;
        private GpuOptions gpu;

        public Options(@NotNull Accelerator... accelerators) {
            this.accelerators = EnumSet.copyOf(Arrays.asList(accelerators));
        }

        public void setCpuOptions(@Nullable CpuOptions options) {
            cpu = options;
        }

        public void setGpuOptions(@Nullable GpuOptions options) {
            gpu = options;
        }
    }

    private final DesktopNetwork network;
    private final String fault;

    private CompiledModel(DesktopNetwork network, String fault) {
        super(1);
        this.network = network;
        this.fault = fault;
    }

    @NotNull
    public static CompiledModel create(
            @NotNull AssetManager assetManager,
            @NotNull String assetName,
            @NotNull Options options,
            @Nullable Environment optionalEnv)
            throws LiteRtException {
        Objects.requireNonNull(assetManager, "assetManager");
        return create(Phone.assets.resolve(assetName), options, optionalEnv);
    }

    @NotNull
    public static CompiledModel create(
            @NotNull String filePath, @NotNull Options options, @Nullable Environment optionalEnv)
            throws LiteRtException {
        return create(Paths.get(filePath), options, optionalEnv);
    }

    /** As the real one, it leaves out in silence what the phone does not have. */
    private static CompiledModel create(Path file, Options options, Environment environment)
            throws LiteRtException {
        Set<Accelerator> wanted = EnumSet.copyOf(options.accelerators);
        if (wanted.equals(EnumSet.of(Accelerator.NPU))) {
            wanted.add(Accelerator.CPU);
        }
        Accelerator used = null;
        for (Accelerator each :
                new Accelerator[] {Accelerator.NPU, Accelerator.GPU, Accelerator.CPU}) {
            boolean there =
                    each == Accelerator.CPU || Phone.accelerators.containsKey(each.name());
            if (used == null && there && wanted.contains(each)) {
                used = each;
            }
        }
        if (used == null) {
            throw new LiteRtException(
                    Status.ErrorCompilation, "Some ops are not accelerated; add the CPU.");
        }
        String fault = Phone.accelerators.getOrDefault(used.name(), "");
        if (fault.equals("dies")) {
            throw new Phone.Died();
        }
        boolean threads = used == Accelerator.CPU && options.cpu != null;
        int count = threads && options.cpu.numThreads != null ? options.cpu.numThreads : 1;
        String cache = used == Accelerator.GPU && options.gpu != null ? options.gpu.cache : null;
        Phone.compiled.add(
                used + (used == Accelerator.CPU ? " " + count : "") + " " + file.getFileName()
                        + (cache == null ? "" : " cached"));
        if (!fault.isEmpty() && !fault.equals("wrong") && !fault.equals("rounds")) {
            throw new LiteRtException(Status.ErrorCompilation, fault);
        }
        DesktopNetwork network = new DesktopNetwork(Phone.library, file);
        try {
            network.load();
        } catch (FlowEngineException error) {
            throw new LiteRtException(Status.ErrorFileIO, "Failed to load model: " + file);
        }
        return new CompiledModel(network, fault);
    }

    @NotNull
    public TensorBuffer createInputBuffer(@NotNull String inputName, @NotNull String signature)
            throws LiteRtException {
        return new TensorBuffer(spec(inputName, signature, true));
    }

    @NotNull
    public TensorBuffer createOutputBuffer(@NotNull String outputName, @NotNull String signature)
            throws LiteRtException {
        return new TensorBuffer(spec(outputName, signature, false));
    }

    @NotNull
    public TensorType getInputTensorType(@NotNull String inputName, @NotNull String signature) {
        return type(inputName, signature, true);
    }

    @NotNull
    public TensorType getOutputTensorType(
            @NotNull String outputName, @NotNull String signature) {
        return type(outputName, signature, false);
    }

    private TensorType type(String name, String signature, boolean input) {
        try {
            return new TensorType(
                    TensorType.ElementType.FLOAT,
                    new TensorType.Layout(
                            Arrays.stream(spec(name, signature, input).shape())
                                    .boxed()
                                    .collect(Collectors.toList())));
        } catch (LiteRtException error) {
            throw CompiledModel.<RuntimeException>unseen(error);
        }
    }

    /** Kotlin's functions throw what they do not declare. */
    @SuppressWarnings("unchecked")
    private static <T extends Exception> T unseen(Exception error) throws T {
        throw (T) error;
    }

    private TensorSpec spec(String name, String signature, boolean input)
            throws LiteRtException {
        assertNotDestroyed();
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(signature, "signature");
        try {
            return input ? network.input(signature, name) : network.output(signature, name);
        } catch (FlowEngineException error) {
            throw new LiteRtException(Status.ErrorNotFound, error.getMessage());
        }
    }

    public void run(
            @NotNull Map<String, TensorBuffer> inputs,
            @NotNull Map<String, TensorBuffer> outputs,
            @NotNull String signature)
            throws LiteRtException {
        assertNotDestroyed();
        network.run(Objects.requireNonNull(signature, "signature"), bytes(inputs), bytes(outputs));
        Phone.ran.add(signature);
        TensorBuffer flow = outputs.get("flow");
        if (flow != null) { // what is computed wrong is wrong by pixels
            ByteBuffer output = flow.bytes;
            for (int at = 0; at < output.capacity(); at += 4) {
                float right = output.getFloat(at);
                // As healthy accelerators do: much of it a little off, a little of it much.
                float rounded = right + (at % 400 == 0 ? 0.8f : 0.08f);
                output.putFloat(
                        at,
                        fault.equals("wrong")
                                ? 2 * right
                                : fault.equals("rounds") ? rounded : right);
            }
        }
    }

    private static Map<String, ByteBuffer> bytes(Map<String, TensorBuffer> buffers) {
        Map<String, ByteBuffer> bytes = new HashMap<>();
        buffers.forEach((name, buffer) -> bytes.put(name, buffer.bytes));
        return bytes;
    }

    @Override
    protected void destroy() {
        network.close();
    }
}
