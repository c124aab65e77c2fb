package com.google.ai.edge.litert;

import android.content.Context;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jetbrains.annotations.NotNull;
import org.tfflow.fakes.Phone;

public final class Environment extends JniHandle {
    public enum Option {
        CompilerPluginLibraryDir,
        DispatchLibraryDir,
        SystemRuntimeHandle,
        SystemGpuAcceleratorHandle
    }

    private Environment() {
        super(1);
    }

    @NotNull
    public static Environment create(
            @NotNull Context context,
            @NotNull Map<Option, String> options,
            boolean enableCompilerCache)
            throws LiteRtException {
        Objects.requireNonNull(context, "context");
        Objects.requireNonNull(options, "options");
        Phone.environments++;
        return new Environment();
    }

    @NotNull
    public Set<Accelerator> getAvailableAccelerators() throws LiteRtException {
        assertNotDestroyed();
        Set<Accelerator> available = EnumSet.of(Accelerator.CPU);
        for (String name : Phone.accelerators.keySet()) {
            available.add(Accelerator.valueOf(name));
        }
        return available;
    }

    @Override
    protected void destroy() {}
}
