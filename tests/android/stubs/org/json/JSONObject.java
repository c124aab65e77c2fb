package org.json;

/** Compile-only: what the app uses of the real one. */
public class JSONObject {
    public JSONObject() {}

    public JSONObject(String json) throws JSONException {}

    public JSONObject getJSONObject(String name) throws JSONException {
        throw new UnsupportedOperationException("stub");
    }

    public JSONObject optJSONObject(String name) {
        throw new UnsupportedOperationException("stub");
    }

    public JSONArray getJSONArray(String name) throws JSONException {
        throw new UnsupportedOperationException("stub");
    }

    public JSONArray optJSONArray(String name) {
        throw new UnsupportedOperationException("stub");
    }

    public String getString(String name) throws JSONException {
        throw new UnsupportedOperationException("stub");
    }

    public int getInt(String name) throws JSONException {
        throw new UnsupportedOperationException("stub");
    }

    public double getDouble(String name) throws JSONException {
        throw new UnsupportedOperationException("stub");
    }

    public double optDouble(String name, double otherwise) {
        throw new UnsupportedOperationException("stub");
    }

    public JSONObject put(String name, Object value) throws JSONException {
        throw new UnsupportedOperationException("stub");
    }
}
