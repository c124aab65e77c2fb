package com.google.ai.edge.litert;

import org.jetbrains.annotations.NotNull;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public interface NpuAcceleratorProvider {
    @NotNull String getLibraryDir();
    boolean isDeviceSupported();
    boolean isLibraryReady();
}
