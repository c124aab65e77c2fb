package org.tfflow.litert;

import android.content.Context;
import com.google.ai.edge.litert.Accelerator;
import com.google.ai.edge.litert.CompiledModel;
import com.google.ai.edge.litert.Environment;
import com.google.ai.edge.litert.LiteRtException;
import java.io.File;
import java.util.Collections;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tfflow.core.network.FlowEngineException;

/**
 * What LiteRT can compute with on this phone, asked once for all networks of the process.
 *
 * <p>It must be asked: Options(NPU) means NPU and CPU, and an accelerator that is not there is left
 * out in silence, so that one CPU thread works where the NPU was asked for.
 */
final class Accelerators {
    private static @Nullable Accelerators only;

    private final Environment environment;
    private final Set<Accelerator> available;
    private final File cache;

    private Accelerators(Context context) {
        try {
            environment = Environment.create(context, Collections.emptyMap(), true);
            available = environment.getAvailableAccelerators();
        } catch (LiteRtException error) {
            throw new FlowEngineException("LiteRT does not start on this phone", error);
        }
        cache = new File(context.getCacheDir(), "litert_gpu");
    }

    /**
     * Those of this process; never closed.
     *
     * @throws FlowEngineException if LiteRT does not start
     */
    static synchronized Accelerators of(Context context) {
        if (only == null) {
            only = new Accelerators(context.getApplicationContext());
        }
        return only;
    }

    Environment environment() {
        return environment;
    }

    boolean has(Accelerator accelerator) {
        return available.contains(accelerator);
    }

    /** How many threads pay: phones have four fast cores at best. */
    static int defaultThreads() {
        return Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors()));
    }

    /**
     * How LiteRT shall compile a network.
     *
     * @param threads of the CPU
     * @param key of the file, under which the GPU's programs are kept for the next start
     */
    CompiledModel.Options options(Accelerator accelerator, int threads, String key) {
        CompiledModel.Options options = new CompiledModel.Options(accelerator);
        if (accelerator == Accelerator.CPU) {
            options.setCpuOptions(new CompiledModel.CpuOptions(threads, null, null));
        } else if (accelerator == Accelerator.GPU && (cache.isDirectory() || cache.mkdirs())) {
            options.setGpuOptions(
                    new CompiledModel.GpuOptions(
                            null, null, null, null, null, null, // as LiteRT thinks best
                            cache.getPath(),
                            key,
                            true, // keep the programs
                            null, null, null, null, null, null));
        }
        return options;
    }
}
