package org.tfflow.demo;

import android.graphics.Rect;
import android.media.Image;
import org.tfflow.core.image.YuvColors;
import org.tfflow.core.image.YuvImage;

/** Android's pictures as flowcore's. */
final class YuvImages {
    private YuvImages() {}

    /**
     * A YUV_420_888 picture, without what a decoder adds around it.
     *
     * @return around Android's buffers: to be copied before the picture is closed
     */
    static YuvImage of(Image image, YuvColors colors) {
        Image.Plane[] planes = image.getPlanes();
        YuvImage whole =
                new YuvImage(
                        image.getWidth(),
                        image.getHeight(),
                        plane(planes[0]),
                        plane(planes[1]),
                        plane(planes[2]),
                        colors);
        Rect crop = image.getCropRect();
        return whole.crop(crop.left, crop.top, crop.width(), crop.height());
    }

    private static YuvImage.Plane plane(Image.Plane plane) {
        return new YuvImage.Plane(
                plane.getBuffer(), plane.getRowStride(), plane.getPixelStride());
    }
}
