package org.tfflow.demo;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.ai.edge.litert.Accelerator;
import com.google.ai.edge.litert.CompiledModel;
import com.google.ai.edge.litert.LiteRtException;
import java.nio.file.Paths;
import org.junit.jupiter.api.Test;
import org.tfflow.fakes.Phone;

/** The fakes of LiteRT do what the real ones do, where it matters. */
class FakesTest {
    private static final String FILE =
            Paths.get(System.getProperty("tfflow.assets"), "lightflow_int8.tflite").toString();

    private static CompiledModel load(CompiledModel.Options options) throws LiteRtException {
        Phone.reset();
        Phone.library = Paths.get(System.getProperty("tfflow.library"));
        return CompiledModel.create(FILE, options, null);
    }

    @Test
    void anAbsentNpuIsTheCpuInSilence() throws LiteRtException {
        load(new CompiledModel.Options(Accelerator.NPU)).close();
        assertTrue(Phone.compiled.contains("CPU 1 lightflow_int8.tflite"));
        assertThrows(
                LiteRtException.class, () -> load(new CompiledModel.Options(Accelerator.GPU)));
    }

    @Test
    void nullForWhatIsNeverNullThrows() throws LiteRtException {
        try (CompiledModel model = load(new CompiledModel.Options(Accelerator.CPU))) {
            assertThrows(
                    NullPointerException.class, () -> model.getInputTensorType("image1", null));
            assertThrows(
                    NullPointerException.class, () -> model.createInputBuffer("image1", null));
            assertThrows(LiteRtException.class, () -> model.getInputTensorType("image3", ""));
            assertTrue(model.getInputTensorType("image1", "").getLayout() != null);
        }
    }
}
