package org.tfflow.core.pipeline;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/** Which mode is chosen, and why others can't be. */
public final class ViewModes {
    private final Map<ViewMode, String> reasons = new EnumMap<>(ViewMode.class);
    private ViewMode current = ViewMode.COLORS;

    /** The mode chosen; colours at first. */
    public ViewMode current() {
        return current;
    }

    /** Why a mode can't be chosen; null if it can. */
    public String reason(ViewMode mode) {
        return reasons.get(mode);
    }

    /**
     * Chooses a mode.
     *
     * @return whether it is chosen; if not, {@link #reason} says why
     */
    public boolean choose(ViewMode mode) {
        if (reasons.containsKey(mode)) {
            return false;
        }
        current = mode;
        return true;
    }

    /** From now on a mode can't be chosen; if it is, colours are in its place. */
    public void disable(ViewMode mode, String reason) {
        if (mode == ViewMode.COLORS) {
            throw new IllegalArgumentException("colours are what the others fall back to");
        }
        reasons.put(mode, Objects.requireNonNull(reason, "reason"));
        if (current == mode) {
            current = ViewMode.COLORS;
        }
    }
}
