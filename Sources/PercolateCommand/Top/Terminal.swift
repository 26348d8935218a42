import Glibc

/// The terminal as a screen to draw on, with keys that are read as they are pressed. What it was
/// before comes back at the end, also when a signal ends this command.
struct Terminal: ~Copyable {
    nonisolated(unsafe) private static var before = termios()
    private static let leave = "\u{1B}[?25h\u{1B}[?1049l"

    /// Nil where standard input or output is no terminal.
    init?() {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1,
            tcgetattr(STDIN_FILENO, &Self.before) == 0
        else {
            return nil
        }
        var raw = Self.before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw)
        for number in [SIGTERM, SIGHUP, SIGINT] {
            signal(number) { number in
                Terminal.restore()
                _exit(128 + number)
            }
        }
        // A change of the window's size ends a wait for keys early.
        signal(SIGWINCH) { _ in }
        Self.send("\u{1B}[?1049h\u{1B}[?25l")
    }

    deinit { Self.restore() }

    /// Calls nothing that a signal handler may not.
    private static func restore() {
        send(leave)
        tcsetattr(STDIN_FILENO, TCSANOW, &before)
    }

    private static func send(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count {
                let written = write(
                    STDOUT_FILENO, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { return }
                done += written
            }
        }
    }

    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Shows `lines`, cut to the screen.
    func show(_ lines: [StyledLine]) {
        let (columns, rows) = size
        var text = "\u{1B}[H"
        for (row, line) in lines.prefix(rows).enumerated() {
            text += line.text(columns: columns) + "\u{1B}[K"
            if row < min(lines.count, rows) - 1 { text += "\r\n" }
        }
        Self.send(text + "\u{1B}[J")
    }

    /// The next key within `milliseconds`; nil where none was pressed.
    func key(within milliseconds: Int) -> UInt8? {
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&input, 1, Int32(milliseconds)) > 0 else { return nil }
        var byte: UInt8 = 0
        // A terminal that is gone is as good as a key that ends.
        return read(STDIN_FILENO, &byte, 1) == 1 ? byte : UInt8(ascii: "q")
    }
}

/// A line of a screen.
struct StyledLine {
    enum Style { case plain, bold, faint }

    let content: String
    let style: Style

    init(_ content: String, _ style: Style = .plain) {
        self.content = content
        self.style = style
    }

    func text(columns: Int) -> String {
        let visible = String(content.prefix(columns))
        switch style {
        case .plain: return visible
        case .bold: return "\u{1B}[1m\(visible)\u{1B}[0m"
        case .faint: return "\u{1B}[2m\(visible)\u{1B}[0m"
        }
    }
}
