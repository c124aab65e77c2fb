package org.tfflow.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ModelListTest {
    private static final String FLOW =
            "{'models': [{'file': 'a.tflite', 'sha256': 'aa', 'golden_flow': 'a.bin', 'golden_step': 16}]";

    private static final String DETECTOR =
            FLOW
                    + ", 'detectors': [{'key': 'k.tflite', 'key_sha256': 'bb', 'between': 'b.tflite',"
                    + " 'between_sha256': 'cc',"
                    + " 'classes': ['cat', 'dog'], 'interval': 10, 'score': 0.3}]}";

    private static ModelList list(String text) {
        return new ModelList(text.replace('\'', '"'));
    }

    @Test
    void aListWithoutDetector() {
        ModelList list = list(FLOW + "}");
        assertEquals("a.tflite", list.flow.file);
        assertEquals("aa", list.flow.sha256);
        assertEquals("a.bin", list.flow.goldenFlow);
        assertEquals(16, list.flow.goldenStep);
        assertNull(list.detector);
        assertNull(list(FLOW + ", 'detectors': []}").detector);
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
                    "", "[]", "{}", "{'models': []}", "{'models': [{'file': 'a.tflite'}]}",
                    FLOW + ", 'detectors': [{'key': 'k.tflite'}]}"
                }) {
            Exception error = assertThrows(IllegalArgumentException.class, () -> list(wrong));
            assertTrue(
                    error.getMessage().startsWith("models.json is not what export/fill_demo.py"),
                    error.getMessage());
        }
    }
}
