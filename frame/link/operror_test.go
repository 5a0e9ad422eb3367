package link

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
)

func TestOpError(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{opError("connect", syscall.ENETUNREACH), "connect: Network is unreachable"},
		{opError("connect", syscall.EHOSTUNREACH), "connect: No route to host"},
		{opError("connect", syscall.EACCES), "connect: Permission denied"},
		{opError("bind", syscall.EADDRNOTAVAIL), "bind: Cannot assign requested address"},
		{opError("setsockopt SO_BINDTODEVICE", syscall.ENODEV), "setsockopt SO_BINDTODEVICE: No such device"},
		{opError("socket", os.NewSyscallError("socket", syscall.EPERM)), "socket: Operation not permitted"},
		{opError("send", syscall.Errno(4242)), "send: Errno 4242"},
		{opError("send", io.EOF), "send: EOF"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if err := opError("socket", os.NewSyscallError("socket", syscall.EPERM)); !errors.Is(err, syscall.EPERM) {
		t.Errorf("%v does not unwrap to its errno", err)
	}
}
