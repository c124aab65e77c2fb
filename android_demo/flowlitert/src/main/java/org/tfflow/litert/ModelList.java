package org.tfflow.litert;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** What a models.json says of the files beside it. */
final class ModelList {
    /** The pair of images that networks are checked with. */
    static final class Pair {
        final String image1;
        final String image2;
        final String truth;
        final int step; // px

        Pair(JSONObject golden) throws JSONException {
            image1 = golden.getString("image1");
            image2 = golden.getString("image2");
            truth = golden.getString("truth");
            step = golden.getInt("step");
        }
    }

    /** One file of a network. */
    static final class Form {
        final String file;
        final String sha256;
        final String quantization;
        final String goldenFlow;
        /** The outputs of encode; null if it was exported without streaming. */
        final @Nullable List<String> encode;

        /** The inputs of match, likewise. */
        final @Nullable List<String> match;

        Form(JSONObject form) throws JSONException {
            file = form.getString("file");
            sha256 = form.getString("sha256");
            quantization = form.getString("quantization");
            goldenFlow = form.getString("golden_flow");
            JSONObject streaming = form.optJSONObject("streaming");
            encode = streaming == null ? null : strings(streaming.getJSONArray("encode"));
            match = streaming == null ? null : strings(streaming.getJSONArray("match"));
        }
    }

    /** A flow network, in one file or several. */
    static final class Flow {
        final String name;
        final List<Form> forms = new ArrayList<>();

        Flow(JSONObject model) throws JSONException {
            name = model.getString("name");
            JSONArray files = model.getJSONArray("files");
            for (int i = 0; i < files.length(); i++) {
                forms.add(new Form(files.getJSONObject(i)));
            }
            if (forms.isEmpty()) {
                throw new JSONException(name + " has no files");
            }
        }

        /** The first file of one of these forms, in their order; else the first of all. */
        Form best(String... quantizations) {
            for (String wanted : quantizations) {
                for (Form form : forms) {
                    if (form.quantization.equals(wanted)) {
                        return form;
                    }
                }
            }
            return forms.get(0);
        }
    }

    /** A detector in video: its two files, and how to use them. */
    static final class Detector {
        private static final double OVERLAP = 0.5; // tfflow.detection's own, if nothing is said

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
            if (interval < 1) {
                throw new JSONException(key + " has an interval of " + interval + " frames");
            }
            score = model.getDouble("score");
            overlap = model.optDouble("overlap", OVERLAP);
            classes = strings(model.getJSONArray("classes"));
        }
    }

    /** The pair of images. */
    final Pair golden;

    /** The flow networks, the first one is the default. */
    final List<Flow> flows = new ArrayList<>();

    /** The first detector of the list; null if there is none. */
    final @Nullable Detector detector;

    /**
     * Reads it.
     *
     * @throws IllegalArgumentException if something is missing
     */
    ModelList(String json) {
        try {
            JSONObject list = new JSONObject(json);
            golden = new Pair(list.getJSONObject("golden"));
            JSONArray models = list.getJSONArray("models");
            for (int i = 0; i < models.length(); i++) {
                flows.add(new Flow(models.getJSONObject(i)));
            }
            if (flows.isEmpty()) {
                throw new JSONException("no models");
            }
            JSONArray detectors = list.optJSONArray("detectors");
            boolean none = detectors == null || detectors.length() == 0;
            detector = none ? null : new Detector(detectors.getJSONObject(0));
        } catch (JSONException error) {
            throw new IllegalArgumentException(
                    "models.json is not what tfflow export --android-assets writes: "
                            + error.getMessage(),
                    error);
        }
    }

    private static List<String> strings(JSONArray array) throws JSONException {
        List<String> strings = new ArrayList<>();
        for (int i = 0; i < array.length(); i++) {
            strings.add(array.getString(i));
        }
        return Collections.unmodifiableList(strings);
    }
}
