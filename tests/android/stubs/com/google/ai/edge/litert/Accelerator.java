package com.google.ai.edge.litert;

/** Compile-only: what the app uses of the real one. */
public enum Accelerator {
    NONE,
    CPU,
    GPU,
    NPU
}
