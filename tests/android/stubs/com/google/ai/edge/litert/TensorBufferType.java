package com.google.ai.edge.litert;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public enum TensorBufferType {
    Ahwb, DmaBuf, FastRpc, GlBuffer, GlTexture, HostMemory, Ion, OpenClBuffer, OpenClBufferFp16, OpenClBufferPacked, OpenClImageBuffer, OpenClImageBufferFp16, OpenClTexture, OpenClTextureFp16, Unknown, VulkanBuffer, VulkanBufferFp16, VulkanBufferPacked, VulkanImageBuffer, VulkanImageBufferFp16, VulkanTexture, VulkanTextureFp16, WebGpuBuffer, WebGpuBufferFp16, WebGpuBufferPacked, WebGpuImageBuffer, WebGpuImageBufferFp16, WebGpuTexture, WebGpuTextureFp16;
}
