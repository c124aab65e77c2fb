package org.tfflow.core.image;

/** How a picture is brought to the network's size. */
public enum Fit {
    /** Each side scaled by itself: as tfflow's predict_flow, and with most pixels in use. */
    STRETCH,
    /** Both sides scaled alike, with black bars. */
    LETTERBOX;

    /** The mapping between two sizes. */
    public Letterbox of(int sourceWidth, int sourceHeight, int targetWidth, int targetHeight) {
        return this == STRETCH
                ? Letterbox.stretch(sourceWidth, sourceHeight, targetWidth, targetHeight)
                : Letterbox.fit(sourceWidth, sourceHeight, targetWidth, targetHeight);
    }
}
