package org.tfflow.fakes;

import android.app.Activity;
import android.view.View;
import android.widget.Button;
import android.widget.RadioButton;
import android.widget.SeekBar;
import android.widget.Switch;
import android.widget.TextView;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/** A layout of the app's resources as a phone of 360 x 640 dp shows it, roughly. */
public final class Screen {
    private static final int WIDTH = 360;
    private static final int HEIGHT = 592; // less the system's bars
    private static final int SCALE = 2;
    private static final int BUTTON = 48;
    private static final int LINE = 14;
    private static final Color ACCENT = new Color(0x4DD0E1);

    private static final class Part {
        Element element;
        View view;
        int x;
        int y;
        int width;
        int height;
    }

    private final Map<Integer, View> views = new HashMap<>();
    private final List<Part> parts = new ArrayList<>();
    private final List<RadioButton> radios = new ArrayList<>(); // of the one group

    /** Makes its views, each with its size. */
    public Screen(Activity activity, String layout) {
        try {
            Element root =
                    DocumentBuilderFactory.newInstance()
                            .newDocumentBuilder()
                            .parse(Phone.resources.resolve("layout/" + layout + ".xml").toFile())
                            .getDocumentElement();
            place(activity, root, 0, 0, WIDTH, HEIGHT);
        } catch (Exception error) {
            throw new AssertionError(error);
        }
    }

    /** The view of a number, as R has it. */
    public View view(int id) {
        if (!views.containsKey(id)) {
            throw new AssertionError("the layout has no view " + Phone.names.apply(id));
        }
        return views.get(id);
    }

    private void place(Activity activity, Element element, int x, int y, int width, int height)
            throws Exception {
        Part part = new Part();
        part.element = element;
        part.x = x;
        part.y = y;
        part.width = width;
        part.height = height;
        part.view = make(activity, element);
        parts.add(part);
        if (part.view != null) {
            part.view.width = width;
            part.view.height = height;
        }
        List<Element> children = children(element);
        boolean down = of(element, "orientation").equals("vertical");
        boolean over = element.getTagName().equals("FrameLayout");
        int fixed = 0;
        for (Element child : children) {
            fixed += weight(child) > 0 ? 0 : down ? tall(child) : 0;
        }
        int at = 0;
        for (Element child : children) {
            if (over) {
                place(activity, child, x, y, width, height);
            } else if (down) {
                int side = weight(child) > 0 ? height - fixed : tall(child);
                place(activity, child, x, y + at, width, side);
                at += side;
            } else {
                int side = width / children.size();
                place(activity, child, x + at, y, side, height);
                at += side;
            }
        }
    }

    private View make(Activity activity, Element element) throws Exception {
        View view;
        switch (element.getTagName()) {
            case "Button":
                view = new Button(activity);
                break;
            case "RadioButton":
                RadioButton radio = new RadioButton(activity);
                radio.group = radios;
                radios.add(radio);
                view = radio;
                break;
            case "Switch":
                view = new Switch(activity);
                break;
            case "TextView":
                view = new TextView(activity);
                break;
            case "SeekBar":
                view = new SeekBar(activity);
                break;
            default:
                view =
                        !element.getTagName().contains(".")
                                ? null
                                : (View)
                                        Class.forName(element.getTagName())
                                                .getConstructor(
                                                        android.content.Context.class,
                                                        android.util.AttributeSet.class)
                                                .newInstance(activity, null);
        }
        String text = of(element, "text");
        if (view instanceof TextView && text.startsWith("@string/")) {
            ((TextView) view).setText(Phone.text(text.substring("@string/".length())));
        }
        String id = of(element, "id");
        if (view != null && !id.isEmpty()) {
            views.put(Phone.ids.apply(id.substring("@+id/".length())), view);
        }
        return view;
    }

    private static String of(Element element, String name) {
        return element.getAttribute("android:" + name);
    }

    private static int weight(Element element) {
        String weight = of(element, "layout_weight");
        return weight.isEmpty() ? 0 : Integer.parseInt(weight);
    }

    private static int tall(Element element) {
        String height = of(element, "layout_height");
        if (height.endsWith("dp")) {
            return Integer.parseInt(height.substring(0, height.length() - 2));
        }
        return BUTTON; // a row of buttons: all else here says its height
    }

    private static List<Element> children(Element element) {
        List<Element> children = new ArrayList<>();
        NodeList nodes = element.getChildNodes();
        for (int i = 0; i < nodes.getLength(); i++) {
            if (nodes.item(i).getNodeType() == Node.ELEMENT_NODE) {
                children.add((Element) nodes.item(i));
            }
        }
        return children;
    }

    /** A picture of it, for people. */
    public BufferedImage draw() {
        BufferedImage image =
                new BufferedImage(SCALE * WIDTH, SCALE * HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.scale(SCALE, SCALE);
        graphics.setRenderingHint(
                RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        for (Part part : parts) {
            Graphics2D own =
                    (Graphics2D) graphics.create(part.x, part.y, part.width, part.height);
            if (part.view instanceof Switch) {
                draw((Switch) part.view, part, own);
            } else if (part.view instanceof TextView) {
                draw((TextView) part.view, part, own);
            } else if (part.view instanceof SeekBar) {
                draw((SeekBar) part.view, part, own);
            } else if (part.view != null && part.view.drawn != null) {
                own.drawImage(part.view.drawn.image, 0, 0, null);
            }
            own.dispose();
        }
        return image;
    }

    private static void draw(TextView view, Part part, Graphics2D graphics) {
        String text = view.getText().toString();
        boolean button = view instanceof Button;
        boolean mono = of(part.element, "fontFamily").equals("monospace");
        graphics.setFont(new Font(mono ? Font.MONOSPACED : Font.SANS_SERIF, Font.PLAIN, 10));
        int wide = graphics.getFontMetrics().stringWidth(text);
        if (button) {
            boolean radio = view instanceof RadioButton;
            int left = radio ? 28 : (part.width - wide) / 2;
            graphics.setColor(view.enabled ? radio ? Color.WHITE : ACCENT : Color.GRAY);
            graphics.drawString(text, left, part.height / 2 + 4);
            if (radio) {
                graphics.drawOval(8, part.height / 2 - 6, 12, 12);
                if (((RadioButton) view).checked) {
                    graphics.fillOval(11, part.height / 2 - 3, 7, 7);
                }
            }
            return;
        }
        int y = mono ? 8 : part.height / 2 - 8;
        for (String line : text.split("\n")) {
            // As Android, it breaks what is too wide.
            while (!line.isEmpty()) {
                int end = line.length();
                while (graphics.getFontMetrics().stringWidth(line.substring(0, end))
                        > part.width - 16) {
                    end--;
                }
                int space = line.lastIndexOf(' ', end);
                end = end < line.length() && space > 0 ? space + 1 : end;
                y += LINE;
                graphics.setColor(Color.BLACK);
                graphics.drawString(line.substring(0, end), 9, y + 1);
                graphics.setColor(Color.WHITE);
                graphics.drawString(line.substring(0, end), 8, y);
                line = line.substring(end);
            }
        }
    }

    private static void draw(Switch view, Part part, Graphics2D graphics) {
        int right = part.width - 12;
        int middle = part.height / 2;
        graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 10));
        graphics.setColor(view.enabled ? Color.WHITE : Color.GRAY);
        graphics.drawString(view.getText().toString(), 8, middle + 4);
        graphics.setColor(Color.DARK_GRAY);
        graphics.fillRoundRect(right - 28, middle - 5, 28, 10, 10, 10);
        graphics.setColor(view.enabled && view.checked ? ACCENT : Color.GRAY);
        graphics.fillOval(view.checked ? right - 14 : right - 28, middle - 7, 14, 14);
    }

    private static void draw(SeekBar bar, Part part, Graphics2D graphics) {
        int knob = 12 + (part.width - 24) * bar.getProgress() / 100;
        graphics.setColor(Color.GRAY);
        graphics.drawLine(12, part.height / 2, part.width - 12, part.height / 2);
        graphics.setColor(ACCENT);
        graphics.drawLine(12, part.height / 2, knob, part.height / 2);
        graphics.fillOval(knob - 6, part.height / 2 - 6, 12, 12);
    }
}
