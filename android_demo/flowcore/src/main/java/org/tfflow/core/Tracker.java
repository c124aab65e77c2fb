package org.tfflow.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Keeps things apart over time: between detections the flow carries them, at a detection each takes
 * the box of its label that overlaps it most. Not thread-safe.
 */
public final class Tracker {
    private static final class Match {
        final int track;
        final int box;
        final double overlap;

        Match(int track, int box, double overlap) {
            this.track = track;
            this.box = box;
            this.overlap = overlap;
        }
    }

    private final double minOverlap;
    private final int maxMissed;
    private List<Track> tracks = new ArrayList<>();
    private int nextId = 1;

    /**
     * @param minOverlap a box with less overlap is another thing, 0 to 1
     * @param maxMissed after more detections in a row without it, a thing is forgotten
     */
    public Tracker(double minOverlap, int maxMissed) {
        if (!(minOverlap >= 0 && minOverlap <= 1) || maxMissed < 0) {
            throw new IllegalArgumentException(
                    "minOverlap must be 0 to 1 and maxMissed at least 0; got " + minOverlap + ", "
                            + maxMissed);
        }
        this.minOverlap = minOverlap;
        this.maxMissed = maxMissed;
    }

    /** All things, the oldest first. */
    public List<Track> tracks() {
        return Collections.unmodifiableList(tracks);
    }

    /**
     * Carries all things to the next picture; those that leave it are forgotten.
     *
     * @param flow from their picture to the next, in its pixels
     */
    public void move(FlowField flow) {
        Box picture = new Box(0, 0, flow.width(), flow.height(), 1, 0);
        List<Track> moved = new ArrayList<>();
        for (Track track : tracks) {
            Box box = BoxPropagation.move(track.box(), flow);
            if (box.overlap(picture) > 0) {
                moved.add(new Track(track.id(), box, track.detections(), track.missed()));
            }
        }
        tracks = moved;
    }

    /**
     * Gives the boxes of a detection to the things they are; the others are new things.
     *
     * @param boxes in the pixels of the picture to which the things were moved last
     */
    public void update(List<Box> boxes) {
        Integer[] boxOf = new Integer[tracks.size()];
        boolean[] taken = new boolean[boxes.size()];
        for (Match match : matches(boxes)) {
            if (boxOf[match.track] == null && !taken[match.box]) {
                boxOf[match.track] = match.box;
                taken[match.box] = true;
            }
        }
        List<Track> updated = new ArrayList<>();
        for (int i = 0; i < boxOf.length; i++) {
            Track old = tracks.get(i);
            if (boxOf[i] != null) {
                Box box = boxes.get(boxOf[i]);
                updated.add(new Track(old.id(), box, old.detections() + 1, 0));
            } else if (old.missed() < maxMissed) {
                updated.add(new Track(old.id(), old.box(), old.detections(), old.missed() + 1));
            }
        }
        for (int i = 0; i < taken.length; i++) {
            if (!taken[i]) {
                updated.add(new Track(nextId++, boxes.get(i), 1, 0));
            }
        }
        tracks = updated;
    }

    /** What may belong together, the largest overlap first. */
    private List<Match> matches(List<Box> boxes) {
        List<Match> matches = new ArrayList<>();
        for (int t = 0; t < tracks.size(); t++) {
            Box known = tracks.get(t).box();
            for (int b = 0; b < boxes.size(); b++) {
                double overlap = known.overlap(boxes.get(b));
                boolean alike = known.label() == boxes.get(b).label();
                if (alike && overlap > 0 && overlap >= minOverlap) {
                    matches.add(new Match(t, b, overlap));
                }
            }
        }
        Collections.sort(matches, (a, b) -> Double.compare(b.overlap, a.overlap));
        return matches;
    }
}
