package internet

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// backlogFile is a setting of the machine, which only its first network
// namespace shows.
const backlogFile = "/proc/sys/net/core/netdev_max_backlog"

// ErrBacklog is the error of Start where the backlog of the machine can't be
// raised: in another network namespace than the machine's first, which has no
// such setting, and in a container, whose /proc/sys is for reading only.
var ErrBacklog = errors.New("it can't be raised from here")

// backlogLock is a file that all Internets of the machine share. Each holds a
// shared lock on it (flock(2)) for as long as it needs the backlog, which the
// kernel takes away from a process that dies. It has what the machine had
// before the first of them came, and the most that any of them has set.
const backlogLock = "/run/hopquote-backlog"

// backlog is an Internet's part in the machine's backlog.
type backlog struct {
	setting string
	users   *os.File // with the shared lock
}

// raiseBacklog sets the setting to want at least.
func raiseBacklog(setting, lock string, want int) (*backlog, error) {
	gate, err := openGate(lock)
	if err != nil {
		return nil, err
	}
	defer gate.Close() // which opens it
	users, err := os.OpenFile(lock, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("internet: note the backlog of the machine: %w", err)
	}
	b := &backlog{setting: setting, users: users}
	if err := b.raise(want); err != nil {
		return nil, errors.Join(err, users.Close())
	}
	return b, nil
}

// openGate lets one at a time change the setting and the file about it.
func openGate(lock string) (*os.File, error) {
	gate, err := os.OpenFile(lock+".gate", os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("internet: lock the backlog of the machine: %w", err)
	}
	if err := lockFile(gate, unix.LOCK_EX); err != nil {
		return nil, errors.Join(err, gate.Close())
	}
	return gate, nil
}

func lockFile(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("flock", err)
		}
	}
}

// isAlone tells whether no other Internet needs the backlog; then it has an
// exclusive lock. Whoever asks has the gate.
func (b *backlog) isAlone() (bool, error) {
	err := lockFile(b.users, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

func (b *backlog) raise(want int) error {
	now, err := readSetting(b.setting)
	if err != nil {
		return err
	}
	alone, err := b.isAlone()
	if err != nil {
		return err
	}
	before, raised, known := b.noted()
	// One that died has left its note, and the setting as it had it.
	if !known || alone && now != raised {
		before = now
	}
	top := max(now, want)
	if err := b.note(before, top); err != nil {
		return err
	}
	if top != now {
		if err := writeSetting(b.setting, top); err != nil {
			return err
		}
	}
	return lockFile(b.users, unix.LOCK_SH)
}

// lower restores the setting when nobody else needs it any more. What somebody
// else has set meanwhile stays.
func (b *backlog) lower() (err error) {
	defer func() { err = errors.Join(err, b.users.Close()) }()
	gate, err := openGate(b.users.Name())
	if err != nil {
		return err
	}
	defer gate.Close()
	alone, err := b.isAlone()
	if err != nil || !alone {
		return err
	}
	before, raised, known := b.noted()
	now, err := readSetting(b.setting)
	if err != nil {
		return err
	}
	if known && now == raised && now != before {
		if err := writeSetting(b.setting, before); err != nil {
			return err
		}
	}
	return b.users.Truncate(0)
}

// noted reads the file: what the setting was, and what it was made.
func (b *backlog) noted() (before, raised int, known bool) {
	text, err := io.ReadAll(io.NewSectionReader(b.users, 0, 64))
	if err != nil {
		return 0, 0, false
	}
	n, err := fmt.Sscanf(string(text), "%d %d\n", &before, &raised)
	return before, raised, err == nil && n == 2 && before > 0
}

func (b *backlog) note(before, raised int) error {
	text := fmt.Sprintf("%d %d\n", before, raised)
	err := b.users.Truncate(0)
	if err == nil {
		_, err = b.users.WriteAt([]byte(text), 0)
	}
	if err != nil {
		return fmt.Errorf("internet: note the backlog of the machine: %w", err)
	}
	return nil
}

func readSetting(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("internet: read the backlog of the machine: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("internet: read the backlog of the machine: %w", err)
	}
	return n, nil
}

func writeSetting(file string, n int) error {
	if err := os.WriteFile(file, []byte(strconv.Itoa(n)), 0); err != nil {
		return fmt.Errorf("internet: set the backlog of the machine to %d: %w", n, err)
	}
	return nil
}
