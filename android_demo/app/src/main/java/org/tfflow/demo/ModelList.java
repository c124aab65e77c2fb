package org.tfflow.demo;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** What models.json says of the files beside it. */
final class ModelList {
    /** A flow network, and the flow that it must give for the golden pair. */
    static final class Flow {
        final String file;
        final String sha256;
        final String goldenFlow;
        final int goldenStep; // px

        Flow(JSONObject model) throws JSONException {
            file = model.getString("file");
            sha256 = model.getString("sha256");
            goldenFlow = model.getString("golden_flow");
            goldenStep = model.getInt("golden_step");
        }
    }

    /** A detector in video: its two files, and how to use them. */
    static final class Detector {
        private static final double OVERLAP = 0.5; // tfflow.video's own, if nothing is said

        final String key;
        final String keySha256;
        final String between;
        final String betweenSha256;
        final List<String> classes;
        final int interval; // frames
        final double score;
        final double overlap;

        Detector(JSONObject model) throws JSONException {
            key = model.getString("key");
            keySha256 = model.getString("key_sha256");
            between = model.getString("between");
            betweenSha256 = model.getString("between_sha256");
            interval = model.getInt("interval");
            score = model.getDouble("score");
            overlap = model.optDouble("overlap", OVERLAP);
            List<String> names = new ArrayList<>();
            JSONArray array = model.getJSONArray("classes");
            for (int i = 0; i < array.length(); i++) {
                names.add(array.getString(i));
            }
            classes = Collections.unmodifiableList(names);
        }
    }

    /** The first flow network of the list. */
    final Flow flow;

    /** The first detector of the list; null if there is none. */
    final Detector detector;

    /**
     * Reads it.
     *
     * @throws IllegalArgumentException if something is missing
     */
    ModelList(String json) {
        try {
            JSONObject list = new JSONObject(json);
            flow = new Flow(list.getJSONArray("models").getJSONObject(0));
            JSONArray detectors = list.optJSONArray("detectors");
            boolean none = detectors == null || detectors.length() == 0;
            detector = none ? null : new Detector(detectors.getJSONObject(0));
        } catch (JSONException error) {
            throw new IllegalArgumentException(
                    "models.json is not what export/fill_demo.py writes: " + error.getMessage(),
                    error);
        }
    }
}
