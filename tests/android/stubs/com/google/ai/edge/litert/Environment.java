package com.google.ai.edge.litert;

import org.jetbrains.annotations.NotNull;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public final class Environment extends JniHandle {
    private Environment() { super(0); }
    @NotNull public static Environment create() throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static Environment create(@NotNull android.content.Context a0) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static Environment create(@NotNull android.content.Context a0, @NotNull NpuAcceleratorProvider a1) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static Environment create(@NotNull android.content.Context a0, @NotNull NpuAcceleratorProvider a1, @NotNull java.util.Map<Environment.Option, String> a2) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static Environment create(@NotNull android.content.Context a0, @NotNull NpuAcceleratorProvider a1, @NotNull java.util.Map<Environment.Option, String> a2, boolean a3) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static Environment create(@NotNull android.content.Context a0, @NotNull java.util.Map<Environment.Option, String> a1) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static Environment create(@NotNull android.content.Context a0, @NotNull java.util.Map<Environment.Option, String> a1, boolean a2) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static Environment create(@NotNull NpuAcceleratorProvider a0) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static Environment create(@NotNull NpuAcceleratorProvider a0, @NotNull java.util.Map<Environment.Option, String> a1) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    @NotNull public static Environment create(@NotNull java.util.Map<Environment.Option, String> a0) throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    protected void destroy() {}
    @NotNull public java.util.Set<Accelerator> getAvailableAccelerators() throws LiteRtException { throw new UnsupportedOperationException("stub"); }
    public enum Option {
        CompilerPluginLibraryDir, DispatchLibraryDir, SystemGpuAcceleratorHandle, SystemRuntimeHandle;
        public int getValue() { throw new UnsupportedOperationException("stub"); }
    }
}
