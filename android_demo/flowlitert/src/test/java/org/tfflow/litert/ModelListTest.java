package org.tfflow.litert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ModelListTest {
    private static final String GOLDEN =
            "{'golden': {'image1': '1.png', 'image2': '2.png', 'truth': 't.bin', 'step': 16}, ";

    private static String file(String form) {
        return "{'file': 'a_" + form + ".tflite', 'sha256': 'aa', 'quantization': '" + form
                + "', 'golden_flow': 'a.bin'}";
    }

    private static final String FLOW =
            GOLDEN + "'models': [{'name': 'a', 'files': [" + file("int8") + ", "
                    + file("float16") + "]}, {'name': 'b', 'files': [" + file("dynamic") + "]}]";

    private static final String DETECTOR =
            FLOW
                    + ", 'detectors': [{'key': 'k.tflite', 'key_sha256': 'bb', 'between': 'b.tflite',"
                    + " 'between_sha256': 'cc',"
                    + " 'classes': ['cat', 'dog'], 'interval': 10, 'score': 0.3}]}";

    private static ModelList list(String text) {
        return new ModelList(text.replace('\'', '"'));
    }

    @Test
    void networksWithTheirForms() {
        ModelList list = list(FLOW + "}");
        assertEquals("1.png", list.golden.image1);
        assertEquals("2.png", list.golden.image2);
        assertEquals("t.bin", list.golden.truth);
        assertEquals(16, list.golden.step);
        assertEquals(2, list.flows.size());
        ModelList.Flow first = list.flows.get(0);
        assertEquals("a", first.name);
        ModelList.Form form = first.best("int8");
        assertEquals("a_int8.tflite", form.file);
        assertEquals("aa", form.sha256);
        assertEquals("a.bin", form.goldenFlow);
        assertNull(form.encode);
        assertEquals("a_float16.tflite", first.best("float32", "float16").file);
        assertEquals("a_dynamic.tflite", list.flows.get(1).best("int8").file);
        assertNull(list.detector);
        assertNull(list(FLOW + ", 'detectors': []}").detector);
    }

    @Test
    void aFileThatStreams() {
        String streams =
                FLOW.replaceFirst(
                        "'a.bin'",
                        "'a.bin', 'streaming': {'encode': ['x', 'y'], 'match': ['features1_x']}");
        ModelList.Form form = list(streams + "}").flows.get(0).best("int8");
        assertEquals(Arrays.asList("x", "y"), form.encode);
        assertEquals(Arrays.asList("features1_x"), form.match);
    }

    @Test
    void aListWithDetector() {
        ModelList.Detector detector = list(DETECTOR).detector;
        assertEquals("k.tflite", detector.key);
        assertEquals("bb", detector.keySha256);
        assertEquals("b.tflite", detector.between);
        assertEquals("cc", detector.betweenSha256);
        assertEquals(Arrays.asList("cat", "dog"), detector.classes);
        assertEquals(10, detector.interval);
        assertEquals(0.3, detector.score);
        assertEquals(0.5, detector.overlap);
        assertEquals(0.4, list(DETECTOR.replace("10,", "10, 'overlap': 0.4,")).detector.overlap);
    }

    @Test
    void whatIsMissingIsNamed() {
        for (String wrong :
                new String[] {
                    "", "[]", "{}", GOLDEN + "'models': []}", GOLDEN + "'models': [{'name': 'a'}]}",
                    GOLDEN + "'models': [{'name': 'a', 'files': []}]}",
                    FLOW.replace("'step': 16", "'steps': 16") + "}",
                    FLOW + ", 'detectors': [{'key': 'k.tflite'}]}"
                }) {
            Exception error = assertThrows(IllegalArgumentException.class, () -> list(wrong));
            assertTrue(
                    error.getMessage()
                            .startsWith("models.json is not what tfflow export --android-assets"),
                    error.getMessage());
        }
    }
}
