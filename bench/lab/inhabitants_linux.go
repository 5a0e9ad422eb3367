package lab

import (
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// evictWait bounds how long Close waits for killed programs to leave. Those
// of another user cannot be killed, and are not waited for.
const evictWait = time.Second

// evict kills the programs whose main thread is in one of the namespaces,
// given by their link text net:[inode]: children that started programs leave
// those behind, and a program that nsenter(1) brought in stays by itself.
func evict(namespaces map[string]bool) {
	for end := time.Now().Add(evictWait); time.Now().Before(end); time.Sleep(time.Millisecond) {
		killed := 0
		links, _ := filepath.Glob("/proc/[0-9]*/ns/net")
		for _, link := range links {
			if !inside(link, namespaces) {
				continue
			}
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(link))))
			if err != nil || pid == os.Getpid() {
				continue
			}
			// The handle is taken before the second look, so that it cannot
			// be a newcomer with the same number.
			p, err := os.FindProcess(pid)
			if err != nil {
				continue
			}
			if inside(link, namespaces) && p.Kill() == nil {
				killed++
			}
			p.Release()
		}
		if killed == 0 {
			return
		}
	}
}

// inside tells whether a /proc/<pid>/ns/net leads to one of the namespaces.
func inside(link string, namespaces map[string]bool) bool {
	ns, err := os.Readlink(link)
	return err == nil && namespaces[ns]
}
