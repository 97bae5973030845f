"""A camera on the network, as a program: `/usr/bin/python3 rtsp_server.py PORT [USER PASSWORD]`.

Needs Debian's GStreamer, which no virtual environment sees. Serves H.264 under /door, of a blue
picture with a clock burnt in, see `burn`. Prints its port once it listens; 0 takes a free one.
"""

from __future__ import annotations

import sys
import time

WIDTH_PX, HEIGHT_PX, FPS = 160, 120, 20
BLUE, WHITE, BLACK = bytes((220, 30, 30)), bytes((255, 255, 255)), bytes((0, 0, 0))
BLOCK_PX, BLOCKS_IN_ROW, BITS = 8, 12, 24

_PIPELINE = (
    "( appsrc name=frames is-live=true do-timestamp=true format=time "
    f"caps=video/x-raw,format=BGR,width={WIDTH_PX},height={HEIGHT_PX},framerate={FPS}/1 "
    "! videoconvert ! video/x-raw,format=I420 "
    f"! x264enc tune=zerolatency key-int-max={FPS} bitrate=1000 "
    "! rtph264pay name=pay0 pt=96 )"
)


def burn(milliseconds: int) -> bytes:
    """A blue picture, BGR, with the low bits of a number as black and white blocks at the top."""
    picture = bytearray(BLUE * (WIDTH_PX * HEIGHT_PX))
    for bit in range(BITS):
        colour = WHITE if milliseconds >> bit & 1 else BLACK
        row, column = divmod(bit, BLOCKS_IN_ROW)
        for y in range(row * BLOCK_PX, (row + 1) * BLOCK_PX):
            start = 3 * (y * WIDTH_PX + column * BLOCK_PX)
            picture[start : start + 3 * BLOCK_PX] = colour * BLOCK_PX
    return bytes(picture)


def main(port: str, user: str = "", password: str = "") -> None:
    """Serve until killed."""
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    if Gst.ElementFactory.find("x264enc") is None:
        sys.exit("x264enc is not installed")
    factory = GstRtspServer.RTSPMediaFactory(launch=_PIPELINE, shared=True)

    def feed(_factory: object, media: GstRtspServer.RTSPMedia) -> None:
        frames = media.get_element().get_child_by_name("frames")

        def push() -> bool:
            clock = int(time.monotonic() * 1000)
            buffer = Gst.Buffer.new_wrapped(burn(clock))
            return frames.emit("push-buffer", buffer) == Gst.FlowReturn.OK

        GLib.timeout_add(1000 // FPS, push)

    factory.connect("media-configure", feed)
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=port)
    if user:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", user)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        server.set_auth(auth)
        factory.add_role_from_structure(
            Gst.Structure.new_from_string(
                f"{user},media.factory.access=true,media.factory.construct=true"
            )
        )
    server.get_mount_points().add_factory("/door", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
