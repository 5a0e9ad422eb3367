package link

import (
	"errors"
	"syscall"
)

// OpError is a system call that failed. Op is the call as the user is to read
// it, such as "connect" or "setsockopt SO_BINDTODEVICE".
type OpError struct {
	Op  string
	Err error
}

// Error is one line, "op: text", the text spelled as libc's strerror(3) spells
// it: with a capital letter.
func (e *OpError) Error() string {
	text := e.Err.Error()
	var errno syscall.Errno
	if errors.As(e.Err, &errno) {
		text = errno.Error()
		if text[0] >= 'a' && text[0] <= 'z' {
			text = string(text[0]-'a'+'A') + text[1:]
		}
	}
	return e.Op + ": " + text
}

// Unwrap gives the errno.
func (e *OpError) Unwrap() error { return e.Err }

// opError names the operation of an error. An errno wrapped by a library is
// taken out: the library's words for the operation are not ours.
func opError(op string, err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return &OpError{Op: op, Err: errno}
	}
	return &OpError{Op: op, Err: err}
}
