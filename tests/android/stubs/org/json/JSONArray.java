package org.json;

/** Compile-only: what the app uses of the real one. */
public class JSONArray {
    public JSONObject getJSONObject(int index) throws JSONException {
        throw new UnsupportedOperationException("stub");
    }

    public String getString(int index) throws JSONException {
        throw new UnsupportedOperationException("stub");
    }

    public int length() {
        throw new UnsupportedOperationException("stub");
    }

    public JSONArray put(Object value) {
        throw new UnsupportedOperationException("stub");
    }
}
