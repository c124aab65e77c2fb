package com.google.ai.edge.litert;

import org.jetbrains.annotations.NotNull;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public final class BuiltinNpuAcceleratorProvider implements NpuAcceleratorProvider {
    public BuiltinNpuAcceleratorProvider(@NotNull android.content.Context a0) {}
    public BuiltinNpuAcceleratorProvider(@NotNull android.content.Context a0, @NotNull NpuCompatibilityChecker a1) {}
    @NotNull public String getLibraryDir() { throw new UnsupportedOperationException("stub"); }
    public boolean isDeviceSupported() { throw new UnsupportedOperationException("stub"); }
    public boolean isLibraryReady() { throw new UnsupportedOperationException("stub"); }
}
