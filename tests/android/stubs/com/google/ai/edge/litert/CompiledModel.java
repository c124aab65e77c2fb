package com.google.ai.edge.litert;

import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public final class CompiledModel extends JniHandle {
    private CompiledModel() { super(0); }
    @NotNull public static CompiledModel create(@NotNull android.content.res.AssetManager a0, @NotNull String a1) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static CompiledModel create(@NotNull android.content.res.AssetManager a0, @NotNull String a1, @NotNull CompiledModel.Options a2) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static CompiledModel create(@NotNull android.content.res.AssetManager a0, @NotNull String a1, @NotNull CompiledModel.Options a2, @Nullable Environment a3) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static CompiledModel create(@NotNull String a0) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static CompiledModel create(@NotNull String a0, @NotNull CompiledModel.Options a1) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static CompiledModel create(@NotNull String a0, @NotNull CompiledModel.Options a1, @Nullable Environment a2) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public TensorBuffer createInputBuffer(@NotNull String a0, @NotNull String a1) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<TensorBuffer> createInputBuffers() throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<TensorBuffer> createInputBuffers(int a0) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<TensorBuffer> createInputBuffers(@NotNull String a0) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public TensorBuffer createOutputBuffer(@NotNull String a0, @NotNull String a1) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<TensorBuffer> createOutputBuffers() throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<TensorBuffer> createOutputBuffers(int a0) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<TensorBuffer> createOutputBuffers(@NotNull String a0) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    protected void destroy() {}
    @NotNull public TensorBufferRequirements getInputBufferRequirements(@NotNull String a0, @NotNull String a1) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public TensorType getInputTensorType(@NotNull String a0, @NotNull String a1) { throw new UnsupportedOperationException("stub"); }
    @NotNull public TensorBufferRequirements getOutputBufferRequirements(@NotNull String a0, @NotNull String a1) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public TensorType getOutputTensorType(@NotNull String a0, @NotNull String a1) { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<TensorBuffer> run(@NotNull java.util.List<TensorBuffer> a0) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<TensorBuffer> run(@NotNull java.util.List<TensorBuffer> a0, int a1) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public java.util.List<TensorBuffer> run(@NotNull java.util.List<TensorBuffer> a0, @NotNull String a1) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    public void run(@NotNull java.util.List<TensorBuffer> a0, @NotNull java.util.List<TensorBuffer> a1) throws LiteRtException {}
    public void run(@NotNull java.util.List<TensorBuffer> a0, @NotNull java.util.List<TensorBuffer> a1, int a2) throws LiteRtException {}
    public void run(@NotNull java.util.List<TensorBuffer> a0, @NotNull java.util.List<TensorBuffer> a1, @NotNull String a2) throws LiteRtException {}
    public void run(@NotNull java.util.Map<String, TensorBuffer> a0, @NotNull java.util.Map<String, TensorBuffer> a1, @NotNull String a2) throws LiteRtException {}
    public static final class CpuOptions {
        public CpuOptions() {}
        public CpuOptions(@Nullable Integer a0, @Nullable Integer a1, @Nullable String a2) {}
        @Nullable public Integer component1() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Integer component2() { throw new UnsupportedOperationException("stub"); }
        @Nullable public String component3() { throw new UnsupportedOperationException("stub"); }
        @NotNull public CompiledModel.CpuOptions copy(@Nullable Integer a0, @Nullable Integer a1, @Nullable String a2) { throw new UnsupportedOperationException("stub"); }
        public boolean equals(@Nullable Object a0) { throw new UnsupportedOperationException("stub"); }
        @Nullable public Integer getNumThreads() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Integer getXnnPackFlags() { throw new UnsupportedOperationException("stub"); }
        @Nullable public String getXnnPackWeightCachePath() { throw new UnsupportedOperationException("stub"); }
        public int hashCode() { throw new UnsupportedOperationException("stub"); }
        @NotNull public String toString() { throw new UnsupportedOperationException("stub"); }
        public enum Key {
            NUM_THREADS, XNNPACK_FLAGS, XNNPACK_WEIGHT_CACHE_PATH;
            public int getValue() { throw new UnsupportedOperationException("stub"); }
        }
    }
    public static final class GpuOptions {
        public GpuOptions() {}
        public GpuOptions(@Nullable Boolean a0, @Nullable Boolean a1, @Nullable Boolean a2, @Nullable CompiledModel.GpuOptions.Precision a3, @Nullable CompiledModel.GpuOptions.BufferStorageType a4, @Nullable Boolean a5, @Nullable String a6, @Nullable String a7, @Nullable Boolean a8, @Nullable Boolean a9, @Nullable Boolean a10, @Nullable String a11, @Nullable CompiledModel.GpuOptions.Backend a12, @Nullable CompiledModel.GpuOptions.Priority a13, @Nullable Integer a14) {}
        @Nullable public Boolean component1() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean component10() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean component11() { throw new UnsupportedOperationException("stub"); }
        @Nullable public String component12() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.GpuOptions.Backend component13() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.GpuOptions.Priority component14() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Integer component15() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean component2() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean component3() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.GpuOptions.Precision component4() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.GpuOptions.BufferStorageType component5() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean component6() { throw new UnsupportedOperationException("stub"); }
        @Nullable public String component7() { throw new UnsupportedOperationException("stub"); }
        @Nullable public String component8() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean component9() { throw new UnsupportedOperationException("stub"); }
        @NotNull public CompiledModel.GpuOptions copy(@Nullable Boolean a0, @Nullable Boolean a1, @Nullable Boolean a2, @Nullable CompiledModel.GpuOptions.Precision a3, @Nullable CompiledModel.GpuOptions.BufferStorageType a4, @Nullable Boolean a5, @Nullable String a6, @Nullable String a7, @Nullable Boolean a8, @Nullable Boolean a9, @Nullable Boolean a10, @Nullable String a11, @Nullable CompiledModel.GpuOptions.Backend a12, @Nullable CompiledModel.GpuOptions.Priority a13, @Nullable Integer a14) { throw new UnsupportedOperationException("stub"); }
        public boolean equals(@Nullable Object a0) { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getAllowSrcQuantizedFcConvOps() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.GpuOptions.Backend getBackend() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.GpuOptions.BufferStorageType getBufferStorageType() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getConstantTensorSharing() { throw new UnsupportedOperationException("stub"); }
        @Nullable public String getExternalTensorPattern() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getExternalTensorsMode() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getInfiniteFloatCapping() { throw new UnsupportedOperationException("stub"); }
        @Nullable public String getModelCacheKey() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Integer getNumStepsOfCommandBufferPreparations() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.GpuOptions.Precision getPrecision() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getPreferTextureWeights() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.GpuOptions.Priority getPriority() { throw new UnsupportedOperationException("stub"); }
        @Nullable public String getSerializationDir() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getSerializeExternalTensors() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getSerializeProgramCache() { throw new UnsupportedOperationException("stub"); }
        public int hashCode() { throw new UnsupportedOperationException("stub"); }
        @NotNull public String toString() { throw new UnsupportedOperationException("stub"); }
        public enum Backend {
            AUTOMATIC, OPENCL, OPENGL, WEBGPU;
            public int getValue() { throw new UnsupportedOperationException("stub"); }
        }
        public enum BufferStorageType {
            BUFFER, DEFAULT, TEXTURE_2D;
            public int getValue() { throw new UnsupportedOperationException("stub"); }
        }
        public enum Key {
            ALLOW_SRC_QUANTIZED_FC_CONV_OPS, BACKEND, BUFFER_STORAGE_TYPE, CONSTANT_TENSOR_SHARING, EXTERNAL_TENSORS_MODE, EXTERNAL_TENSOR_PATTERN, INFINITE_FLOAT_CAPPING, MODEL_CACHE_KEY, NUM_STEPS_OF_COMMAND_BUFFER_PREPARATIONS, PRECISION, PREFER_TEXTURE_WEIGHTS, PRIORITY, SERIALIZATION_DIR, SERIALIZE_EXTERNAL_TENSORS, SERIALIZE_PROGRAM_CACHE;
            public int getValue() { throw new UnsupportedOperationException("stub"); }
        }
        public enum Precision {
            DEFAULT, FP16, FP16_WITH_FP32_ACCUM, FP32;
            public int getValue() { throw new UnsupportedOperationException("stub"); }
        }
        public enum Priority {
            DEFAULT, HIGH, LOW, NORMAL;
            public int getValue() { throw new UnsupportedOperationException("stub"); }
        }
    }
    public static final class Options {
        public Options(@NotNull java.util.Set<? extends Accelerator> a0) {}
        public Options(@NotNull Accelerator... a0) {}
        @NotNull public static CompiledModel.Options getCPU() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.CpuOptions getCpuOptions() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.GpuOptions getGpuOptions() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.QualcommOptions getQualcommOptions() { throw new UnsupportedOperationException("stub"); }
        public void setCpuOptions(@Nullable CompiledModel.CpuOptions a0) {}
        public void setGpuOptions(@Nullable CompiledModel.GpuOptions a0) {}
        public void setQualcommOptions(@Nullable CompiledModel.QualcommOptions a0) {}
    }
    public static final class QualcommOptions {
        public QualcommOptions() {}
        public QualcommOptions(@Nullable CompiledModel.QualcommOptions.LogLevel a0, @Nullable Boolean a1, @Nullable Boolean a2, @Nullable Boolean a3, @Nullable java.util.List<Integer> a4, @Nullable Boolean a5, @Nullable Boolean a6, @Nullable CompiledModel.QualcommOptions.HtpPerformanceMode a7, @Nullable CompiledModel.QualcommOptions.Profiling a8, @Nullable String a9, @Nullable String a10, @Nullable Integer a11, @Nullable Integer a12, @Nullable CompiledModel.QualcommOptions.OptimizationLevel a13) {}
        @Nullable public CompiledModel.QualcommOptions.LogLevel component1() { throw new UnsupportedOperationException("stub"); }
        @Nullable public String component10() { throw new UnsupportedOperationException("stub"); }
        @Nullable public String component11() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Integer component12() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Integer component13() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.QualcommOptions.OptimizationLevel component14() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean component2() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean component3() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean component4() { throw new UnsupportedOperationException("stub"); }
        @Nullable public java.util.List<Integer> component5() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean component6() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean component7() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.QualcommOptions.HtpPerformanceMode component8() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.QualcommOptions.Profiling component9() { throw new UnsupportedOperationException("stub"); }
        @NotNull public CompiledModel.QualcommOptions copy(@Nullable CompiledModel.QualcommOptions.LogLevel a0, @Nullable Boolean a1, @Nullable Boolean a2, @Nullable Boolean a3, @Nullable java.util.List<Integer> a4, @Nullable Boolean a5, @Nullable Boolean a6, @Nullable CompiledModel.QualcommOptions.HtpPerformanceMode a7, @Nullable CompiledModel.QualcommOptions.Profiling a8, @Nullable String a9, @Nullable String a10, @Nullable Integer a11, @Nullable Integer a12, @Nullable CompiledModel.QualcommOptions.OptimizationLevel a13) { throw new UnsupportedOperationException("stub"); }
        public boolean equals(@Nullable Object a0) { throw new UnsupportedOperationException("stub"); }
        @Nullable public String getDlcDir() { throw new UnsupportedOperationException("stub"); }
        @Nullable public java.util.List<Integer> getDumpTensorIds() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getEnableWeightSharing() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.QualcommOptions.HtpPerformanceMode getHtpPerformanceMode() { throw new UnsupportedOperationException("stub"); }
        @Nullable public String getIrJsonDir() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.QualcommOptions.LogLevel getLogLevel() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Integer getNumHvxThreads() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.QualcommOptions.OptimizationLevel getOptimizationLevel() { throw new UnsupportedOperationException("stub"); }
        @Nullable public CompiledModel.QualcommOptions.Profiling getProfiling() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getUseConvHmx() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getUseFoldRelu() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getUseHtpPreference() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Boolean getUseQint16AsQuint16() { throw new UnsupportedOperationException("stub"); }
        @Nullable public Integer getVtcmSize() { throw new UnsupportedOperationException("stub"); }
        public int hashCode() { throw new UnsupportedOperationException("stub"); }
        @NotNull public String toString() { throw new UnsupportedOperationException("stub"); }
        public enum HtpPerformanceMode {
            BALANCED, BURST, DEFAULT, EXTREME_POWER_SAVER, HIGH_PERFORMANCE, HIGH_POWER_SAVER, LOW_BALANCED, LOW_POWER_SAVER, POWER_SAVER, SUSTAINED_HIGH_PERFORMANCE;
            public int getValue() { throw new UnsupportedOperationException("stub"); }
        }
        public enum Key {
            DLC_DIR, DUMP_TENSOR_IDS, ENABLE_WEIGHT_SHARING, HTP_PERFORMANCE_MODE, IR_JSON_DIR, LOG_LEVEL, NUM_HVX_THREADS, OPTIMIZATION_LEVEL, PROFILING, USE_CONV_HMX, USE_FOLD_RELU, USE_HTP_PREFERENCE, USE_QINT16_AS_QUINT16, VTCM_SIZE;
            public int getValue() { throw new UnsupportedOperationException("stub"); }
        }
        public enum LogLevel {
            DEBUG, ERROR, INFO, OFF, VERBOSE, WARN;
            public int getValue() { throw new UnsupportedOperationException("stub"); }
        }
        public enum OptimizationLevel {
            HTP_OPTIMIZE_FOR_INFERENCE, HTP_OPTIMIZE_FOR_INFERENCE_O3, HTP_OPTIMIZE_FOR_PREPARE;
            public int getValue() { throw new UnsupportedOperationException("stub"); }
        }
        public enum Profiling {
            BASIC, DETAILED, LINTING, OFF, OPTRACE;
            public int getValue() { throw new UnsupportedOperationException("stub"); }
        }
    }
}
