package org.json;

/** Compile-only: what the app uses of the real one. */
public class JSONException extends Exception {
    private static final long serialVersionUID = 1L;

    public JSONException(String message) {
        super(message);
    }
}
