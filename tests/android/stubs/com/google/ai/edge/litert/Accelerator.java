package com.google.ai.edge.litert;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public enum Accelerator {
    CPU, GPU, NONE, NPU;
    public int getValue() { throw new UnsupportedOperationException("stub"); }
}
