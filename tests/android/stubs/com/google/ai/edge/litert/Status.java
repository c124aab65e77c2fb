package com.google.ai.edge.litert;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public enum Status {
    ErrorAlreadyExists, ErrorCancelled, ErrorCompilation, ErrorDynamicLoading, ErrorFileIO, ErrorGraphModification, ErrorIncompatibleByteCodeVersion, ErrorIndexOOB, ErrorInvalidArgument, ErrorInvalidFlatbuffer, ErrorInvalidGraphInvariant, ErrorInvalidIrType, ErrorInvalidLegalization, ErrorInvalidToolConfig, ErrorInvalidTransformation, ErrorMemoryAllocationFailure, ErrorMissingInputTensor, ErrorNotFound, ErrorRuntimeFailure, ErrorSerialization, ErrorShapeInferenceFailed, ErrorTimeoutExpired, ErrorUnknown, ErrorUnsupported, ErrorUnsupportedCompilerVersion, ErrorUnsupportedRuntimeVersion, ErrorUnsupportedShapeInferencedOp, ErrorWrongVersion, LegalizeNoMatch, Ok, PatternNoMatch;
    public int getCode() { throw new UnsupportedOperationException("stub"); }
}
