package org.tfflow.core.network;

import java.util.Arrays;
import org.tfflow.core.image.Sizes;

/** What an engine says of one of its tensors: name, shape, type and, for integers, quantisation. */
public final class TensorSpec {
    /** The types that a flow network takes or gives. */
    public enum Type {
        FLOAT32(4),
        UINT8(1),
        INT8(1);

        private final int size;

        Type(int size) {
            this.size = size;
        }
    }

    private final String name;
    private final int[] shape;
    private final Type type;
    private final float scale;
    private final int zeroPoint;

    private TensorSpec(String name, int[] shape, Type type, float scale, int zeroPoint) {
        boolean positive = Arrays.stream(shape).allMatch(side -> side > 0);
        if ((shape.length != 3 && shape.length != 4) || shape[0] != 1 || !positive) {
            throw new IllegalArgumentException(
                    name + " must have the shape [1, height, width, channels] or [1, rows,"
                            + " columns], all known; got " + Arrays.toString(shape));
        }
        this.name = name;
        this.shape = shape.clone();
        this.type = type;
        this.scale = scale;
        this.zeroPoint = zeroPoint;
    }

    /** A tensor of floats. */
    public static TensorSpec floats(String name, int... shape) {
        return new TensorSpec(name, shape, Type.FLOAT32, 1, 0);
    }

    /**
     * A quantised tensor: real value = scale · (integer - zero point).
     *
     * @throws IllegalArgumentException if the type is no integer or the scale not above 0
     */
    public static TensorSpec quantized(
            String name, Type type, float scale, int zeroPoint, int... shape) {
        if (type == Type.FLOAT32) {
            throw new IllegalArgumentException(name + ": floats have no scale");
        }
        return new TensorSpec(name, shape, type, Sizes.checkPositive("scale", scale), zeroPoint);
    }

    /** As the file calls it: image1, image2 or flow. */
    public String name() {
        return name;
    }

    /** Of its numbers. */
    public Type type() {
        return type;
    }

    /** 1, then a picture's height, width and channels, or a table's rows and columns. */
    public int[] shape() {
        return shape.clone();
    }

    /** Of a picture, in pixels; of a table, its rows. */
    public int height() {
        return shape[1];
    }

    /** Of a picture, in pixels; of a table, its columns. */
    public int width() {
        return shape[2];
    }

    /** Three for an image, two for flow, 1 for a table. */
    public int channels() {
        return shape.length == 4 ? shape[3] : 1;
    }

    /** The real value of one step of the integers. */
    public float scale() {
        return scale;
    }

    /** The integer that stands for 0. */
    public int zeroPoint() {
        return zeroPoint;
    }

    /** How many numbers it has. */
    public int count() {
        return height() * width() * channels();
    }

    /** How many bytes it has. */
    public int byteSize() {
        return count() * type.size;
    }

    /** Whether both have the same shape, type and quantisation, whatever their names. */
    public boolean isLike(TensorSpec other) {
        return Arrays.equals(shape, other.shape)
                && type == other.type
                && scale == other.scale
                && zeroPoint == other.zeroPoint;
    }

    @Override
    public String toString() {
        String quantization =
                type == Type.FLOAT32 ? "" : " (scale " + scale + ", zero point " + zeroPoint + ")";
        return name + " " + Arrays.toString(shape) + " " + type + quantization;
    }
}
