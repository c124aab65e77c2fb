package com.google.ai.edge.litert;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public interface NpuCompatibilityChecker {
    boolean isDeviceSupported();
}
