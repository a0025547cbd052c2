// What this version cannot apply is refused with its pointer, and what asks for nothing is accepted.
#include "unit/test_config_cases.h"

using namespace reaper_test;

namespace {

constexpr Refusal top_level[] = {
    {R"("hostname":1)", REAPER_ERR_INVALID, "/hostname"},
    {R"("hostname":null)", REAPER_ERR_INVALID, "/hostname"},
    {R"("hostname":"12345678901234567890123456789012345678901234567890123456789012345")", REAPER_ERR_INVALID,
     "/hostname"},
    {R"("domainname":["x"])", REAPER_ERR_INVALID, "/domainname"},
    {R"("mounts":[{"destination":"/a","options":["remount","idmap"]}])", REAPER_ERR_INVALID, "/mounts/0/options"},
    {R"("mounts":[{"destination":"/a","type":"proc","options":["tmpcopyup"]}])", REAPER_ERR_INVALID,
     "/mounts/0/options"},
    {R"("mounts":[{"destination":"/a","type":"tmpfs","options":["tmpcopyup"]},{}])", REAPER_ERR_INVALID,
     "/mounts/1/destination"},
    {R"("mounts":[{"destination":"/a","type":"tmpfs","uidMappings":[{}]}])", REAPER_ERR_INVALID,
     "/mounts/0/uidMappings/0/containerID"},
    {R"("mounts":[{"destination":"/a","type":"tmpfs","uidMappings":[{"containerID":0,"hostID":1,"size":1}]}])",
     REAPER_ERR_INVALID, "/mounts/0/gidMappings"},
    {R"("mounts":[{"destination":"/a","type":"tmpfs","gidMappings":[{"containerID":0,"hostID":1,"size":1}]}])",
     REAPER_ERR_INVALID, "/mounts/0/uidMappings"},
    {R"("mounts":[{}])", REAPER_ERR_INVALID, "/mounts/0/destination"},
    {R"("mounts":[{"destination":""}])", REAPER_ERR_INVALID, "/mounts/0/destination"},
    {R"("mounts":[{"destination":"/a"}])", REAPER_ERR_UNSUPPORTED, "/mounts/0/type"},
    {R"("mounts":[{"destination":"/a","options":["bind"]}])", REAPER_ERR_INVALID, "/mounts/0/source"},
    {R"("mounts":[{"destination":"/a/../..","type":"tmpfs"}])", REAPER_ERR_INVALID, "/mounts/0/destination"},
    {R"("mounts":[{"destination":"proc","type":"tmpfs"}])", REAPER_ERR_INVALID, "/mounts/0/destination"},
    {R"("mounts":[{"destination":"/a/../proc/self","type":"tmpfs"}])", REAPER_ERR_INVALID, "/mounts/0/destination"},
    {R"("mounts":["/tmp"])", REAPER_ERR_INVALID, "/mounts/0"},
    {R"("mounts":[{"destination":"/a"},7])", REAPER_ERR_INVALID, "/mounts/1"},
    {R"("mounts":[null])", REAPER_ERR_INVALID, "/mounts/0"},
    {R"("mounts":{})", REAPER_ERR_INVALID, "/mounts"},
    {R"("mounts":null)", REAPER_ERR_INVALID, "/mounts"},
    {R"("mounts":[{"destination":null}])", REAPER_ERR_INVALID, "/mounts/0/destination"},
    {R"("mounts":[{"options":"ro"}])", REAPER_ERR_INVALID, "/mounts/0/options"},
    {R"("mounts":[{"options":["ro",1]}])", REAPER_ERR_INVALID, "/mounts/0/options/1"},
    {R"("mounts":[{"source":1}])", REAPER_ERR_INVALID, "/mounts/0/source"},
    {R"("mounts":[{"type":1}])", REAPER_ERR_INVALID, "/mounts/0/type"},
    {R"("mounts":[{"uidMappings":{}}])", REAPER_ERR_INVALID, "/mounts/0/uidMappings"},
    {R"("mounts":[{"uidMappings":[{"size":"1"}]}])", REAPER_ERR_INVALID, "/mounts/0/uidMappings/0/size"},
    {R"("mounts":[{"gidMappings":[{"hostID":null}]}])", REAPER_ERR_INVALID, "/mounts/0/gidMappings/0/hostID"},
    {R"("hooks":[])", REAPER_ERR_INVALID, "/hooks"},
    {R"("hooks":null)", REAPER_ERR_INVALID, "/hooks"},
    {R"("hooks":{"prestart":{}})", REAPER_ERR_INVALID, "/hooks/prestart"},
    {R"("hooks":{"prestart":null})", REAPER_ERR_INVALID, "/hooks/prestart"},
    {R"("hooks":{"prestart":["/a"]})", REAPER_ERR_INVALID, "/hooks/prestart/0"},
    {R"("hooks":{"prestart":[{"path":1}]})", REAPER_ERR_INVALID, "/hooks/prestart/0/path"},
    {R"("hooks":{"prestart":[{"path":"/a","args":"x"}]})", REAPER_ERR_INVALID, "/hooks/prestart/0/args"},
    {R"("hooks":{"prestart":[{"path":"/a","env":[1]}]})", REAPER_ERR_INVALID, "/hooks/prestart/0/env/0"},
    {R"("hooks":{"poststop":[{"path":"/a"},{"timeout":"5"}]})", REAPER_ERR_INVALID, "/hooks/poststop/1/timeout"},
    {R"("windows":{"layerFolders":["c:\\layer"]})", REAPER_ERR_UNSUPPORTED, "/windows"},
    {R"("windows":{"servicing":true})", REAPER_ERR_UNSUPPORTED, "/windows"},
    {R"("windows":[])", REAPER_ERR_INVALID, "/windows"},
    {R"("solaris":{"limitpriv":"default"})", REAPER_ERR_UNSUPPORTED, "/solaris"},
    {R"("solaris":null)", REAPER_ERR_INVALID, "/solaris"},
    {R"("freebsd":{"jail":{"parent":"x"}})", REAPER_ERR_UNSUPPORTED, "/freebsd"},
    {R"("freebsd":{"jail":{"enforceStatfs":0}})", REAPER_ERR_UNSUPPORTED, "/freebsd"},
    {R"("zos":{"namespaces":[{"type":"pid"}]})", REAPER_ERR_UNSUPPORTED, "/zos"},
    {R"("vm":{"kernel":{"path":"/vmlinuz"}})", REAPER_ERR_UNSUPPORTED, "/vm"},
    {R"("vm":{"hwConfig":{"vcpus":0}})", REAPER_ERR_UNSUPPORTED, "/vm"},
    {R"("vm":"kvm")", REAPER_ERR_INVALID, "/vm"},
    {R"("linux":[])", REAPER_ERR_INVALID, "/linux"},
    {R"("linux":null)", REAPER_ERR_INVALID, "/linux"},
    {R"("linux":false)", REAPER_ERR_INVALID, "/linux"},
};

constexpr Refusal in_process[] = {
    {R"("commandLine":"x")", REAPER_ERR_UNSUPPORTED, "/process/commandLine"},
    {R"("commandLine":0)", REAPER_ERR_INVALID, "/process/commandLine"},
    {R"("apparmorProfile":null)", REAPER_ERR_INVALID, "/process/apparmorProfile"},
    {R"("selinuxLabel":{})", REAPER_ERR_INVALID, "/process/selinuxLabel"},
    {R"("ioPriority":{"class":3})", REAPER_ERR_INVALID, "/process/ioPriority/class"},
    {R"("ioPriority":{"class":"IOPRIO_CLASS_IDLE","priority":"4"})", REAPER_ERR_INVALID,
     "/process/ioPriority/priority"},
    {R"("ioPriority":"idle")", REAPER_ERR_INVALID, "/process/ioPriority"},
    {R"("scheduler":{"policy":1})", REAPER_ERR_INVALID, "/process/scheduler/policy"},
    {R"("scheduler":{"nice":"1"})", REAPER_ERR_INVALID, "/process/scheduler/nice"},
    {R"("scheduler":{"priority":null})", REAPER_ERR_INVALID, "/process/scheduler/priority"},
    {R"("scheduler":{"flags":[1]})", REAPER_ERR_INVALID, "/process/scheduler/flags/0"},
    {R"("scheduler":{"runtime":false})", REAPER_ERR_INVALID, "/process/scheduler/runtime"},
    {R"("scheduler":{"deadline":[]})", REAPER_ERR_INVALID, "/process/scheduler/deadline"},
    {R"("scheduler":{"period":{}})", REAPER_ERR_INVALID, "/process/scheduler/period"},
    {R"("execCPUAffinity":{"final":0})", REAPER_ERR_INVALID, "/process/execCPUAffinity/final"},
    {R"("execCPUAffinity":"0")", REAPER_ERR_INVALID, "/process/execCPUAffinity"},
};

constexpr Refusal in_linux[] = {
    {R"("devices":[{}])", REAPER_ERR_INVALID, "/linux/devices/0/path"},
    {R"("devices":[{"path":"dev/a","type":"p"}])", REAPER_ERR_INVALID, "/linux/devices/0/path"},
    {R"("devices":[{"path":"/..","type":"p"}])", REAPER_ERR_INVALID, "/linux/devices/0/path"},
    {R"("devices":[{"path":"/dev/a","type":"s"}])", REAPER_ERR_INVALID, "/linux/devices/0/type"},
    {R"("devices":[{"path":"/dev/a","type":"c","minor":1}])", REAPER_ERR_INVALID, "/linux/devices/0/major"},
    {R"("devices":[{"path":"/dev/a","type":"b","major":4096,"minor":1}])", REAPER_ERR_INVALID,
     "/linux/devices/0/major"},
    {R"("devices":[{"path":"/dev/a","type":"p","fileMode":4096}])", REAPER_ERR_INVALID, "/linux/devices/0/fileMode"},
    {R"("devices":[{"path":"/dev/a","type":"p","uid":4294967295}])", REAPER_ERR_INVALID, "/linux/devices/0/uid"},
    {R"("devices":[{"path":"/dev/a","type":"p"},{"path":"/dev//a","type":"p"}])", REAPER_ERR_INVALID,
     "/linux/devices/1/path"},
    {R"("devices":{})", REAPER_ERR_INVALID, "/linux/devices"},
    {R"("devices":[1])", REAPER_ERR_INVALID, "/linux/devices/0"},
    {R"("devices":[{"major":"10"}])", REAPER_ERR_INVALID, "/linux/devices/0/major"},
    {R"("devices":[{"path":"/dev/a"},{"fileMode":"0666"}])", REAPER_ERR_INVALID, "/linux/devices/1/fileMode"},
    {R"("devices":[{"uid":null}])", REAPER_ERR_INVALID, "/linux/devices/0/uid"},
    {R"("netDevices":{"":{}})", REAPER_ERR_INVALID, "/linux/netDevices/"},
    {R"("netDevices":{"a b":{}})", REAPER_ERR_INVALID, "/linux/netDevices/a b"},
    {R"("netDevices":{"..":{}})", REAPER_ERR_INVALID, "/linux/netDevices/.."},
    {R"("netDevices":{"eth0":{"name":"container_eth0x"},"eth1":{"name":"container_eth0x"}})", REAPER_ERR_INVALID,
     "/linux/netDevices/eth1"},
    {R"("netDevices":{"eth0":{"name":"container_eth00x"}})", REAPER_ERR_INVALID, "/linux/netDevices/eth0/name"},
    {R"("netDevices":{"eth0":{"name":"a%dx"}})", REAPER_ERR_INVALID, "/linux/netDevices/eth0/name"},
    {R"("netDevices":{"eth0":{"name":"a%"}})", REAPER_ERR_INVALID, "/linux/netDevices/eth0/name"},
    {R"("netDevices":{"eth0":{"name":"%d%d"}})", REAPER_ERR_INVALID, "/linux/netDevices/eth0/name"},
    {R"("netDevices":[])", REAPER_ERR_INVALID, "/linux/netDevices"},
    {R"("netDevices":{"eth0":"x"})", REAPER_ERR_INVALID, "/linux/netDevices/eth0"},
    {R"("netDevices":{"eth0":{"name":23}})", REAPER_ERR_INVALID, "/linux/netDevices/eth0/name"},
    {R"("uidMappings":[{}])", REAPER_ERR_INVALID, "/linux/uidMappings/0/containerID"},
    {R"("uidMappings":[{"containerID":0,"hostID":1}])", REAPER_ERR_INVALID, "/linux/uidMappings/0/size"},
    {R"("uidMappings":[{"containerID":0,"hostID":1,"size":0}])", REAPER_ERR_INVALID, "/linux/uidMappings/0/size"},
    {R"("uidMappings":[{"containerID":4294967295,"hostID":1,"size":1}])", REAPER_ERR_INVALID,
     "/linux/uidMappings/0/containerID"},
    {R"("uidMappings":[{"containerID":4294967294,"hostID":1,"size":2}])", REAPER_ERR_INVALID,
     "/linux/uidMappings/0/size"},
    {R"("uidMappings":[{"containerID":"0"}])", REAPER_ERR_INVALID, "/linux/uidMappings/0/containerID"},
    {R"("gidMappings":[{"containerID":0,"hostID":1000,"size":2},{"containerID":1,"hostID":0,"size":1}])",
     REAPER_ERR_INVALID, "/linux/gidMappings/1/containerID"},
    {R"("gidMappings":[{"containerID":0,"hostID":1000,"size":2},{"containerID":2,"hostID":1001,"size":1}])",
     REAPER_ERR_INVALID, "/linux/gidMappings/1/hostID"},
    {R"("gidMappings":0)", REAPER_ERR_INVALID, "/linux/gidMappings"},
    {R"("cgroupsPath":"system.slice:reaper:x")", REAPER_ERR_UNSUPPORTED, "/linux/cgroupsPath"},
    {R"("cgroupsPath":["x"])", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
    {R"("rootfsPropagation":"bind")", REAPER_ERR_INVALID, "/linux/rootfsPropagation"},
    {R"("rootfsPropagation":null)", REAPER_ERR_INVALID, "/linux/rootfsPropagation"},
    {R"("seccomp":{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"run/x"})", REAPER_ERR_INVALID,
     "/linux/seccomp/listenerPath"},
    {R"("seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bpf"],"action":"SCMP_ACT_NOTIFY"}]})",
     REAPER_ERR_INVALID, "/linux/seccomp/syscalls/0/action"},
    {R"("seccomp":[])", REAPER_ERR_INVALID, "/linux/seccomp"},
    {R"("seccomp":{"defaultAction":1})", REAPER_ERR_INVALID, "/linux/seccomp/defaultAction"},
    {R"("seccomp":{"architectures":"SCMP_ARCH_X86"})", REAPER_ERR_INVALID, "/linux/seccomp/architectures"},
    {R"("seccomp":{"architectures":[86]})", REAPER_ERR_INVALID, "/linux/seccomp/architectures/0"},
    {R"("seccomp":{"flags":[null]})", REAPER_ERR_INVALID, "/linux/seccomp/flags/0"},
    {R"("seccomp":{"syscalls":{}})", REAPER_ERR_INVALID, "/linux/seccomp/syscalls"},
    {R"("seccomp":{"syscalls":[{"names":"getcwd"}]})", REAPER_ERR_INVALID, "/linux/seccomp/syscalls/0/names"},
    {R"("seccomp":{"syscalls":[{"args":[{"index":"0"}]}]})", REAPER_ERR_INVALID,
     "/linux/seccomp/syscalls/0/args/0/index"},
    {R"("seccomp":{"syscalls":[{"args":[{},{"op":1}]}]})", REAPER_ERR_INVALID, "/linux/seccomp/syscalls/0/args/1/op"},
    {R"("sysctl":{"":"1"})", REAPER_ERR_INVALID, "/linux/sysctl/"},
    {R"("sysctl":{"net..ipv4":"1"})", REAPER_ERR_INVALID, "/linux/sysctl/net..ipv4"},
    {R"("sysctl":{"net.ipv4.":"1"})", REAPER_ERR_INVALID, "/linux/sysctl/net.ipv4."},
    {R"("sysctl":{"net/../kernel/core_pattern":"1"})", REAPER_ERR_INVALID,
     "/linux/sysctl/net~1..~1kernel~1core_pattern"},
    {R"("sysctl":{"net.ipv4.ip_forward":"1","net/ipv4/ip_forward":"0"})", REAPER_ERR_INVALID,
     "/linux/sysctl/net~1ipv4~1ip_forward"},
    {R"("sysctl":{"net.ipv4.ip_forward":1})", REAPER_ERR_INVALID, "/linux/sysctl/net.ipv4.ip_forward"},
    {R"("sysctl":{"net/ipv4/ip_forward":null})", REAPER_ERR_INVALID, "/linux/sysctl/net~1ipv4~1ip_forward"},
    {R"("sysctl":[])", REAPER_ERR_INVALID, "/linux/sysctl"},
    {R"("maskedPaths":["proc/kcore"])", REAPER_ERR_INVALID, "/linux/maskedPaths/0"},
    {R"("maskedPaths":[""])", REAPER_ERR_INVALID, "/linux/maskedPaths/0"},
    {R"("maskedPaths":"/proc/kcore")", REAPER_ERR_INVALID, "/linux/maskedPaths"},
    {R"("maskedPaths":["/a",1])", REAPER_ERR_INVALID, "/linux/maskedPaths/1"},
    {R"("readonlyPaths":["/proc/sys","proc"])", REAPER_ERR_INVALID, "/linux/readonlyPaths/1"},
    {R"("readonlyPaths":[{}])", REAPER_ERR_INVALID, "/linux/readonlyPaths/0"},
    {R"("mountLabel":1)", REAPER_ERR_INVALID, "/linux/mountLabel"},
    {R"("intelRdt":{"closID":".."})", REAPER_ERR_INVALID, "/linux/intelRdt/closID"},
    {R"("intelRdt":{"closID":"/a"})", REAPER_ERR_INVALID, "/linux/intelRdt/closID"},
    {R"("intelRdt":{"closID":"a/b"})", REAPER_ERR_INVALID, "/linux/intelRdt/closID"},
    {R"("intelRdt":{"closID":"a\nb"})", REAPER_ERR_INVALID, "/linux/intelRdt/closID"},
    {R"("intelRdt":{"closID":"mon_groups"})", REAPER_ERR_INVALID, "/linux/intelRdt/closID"},
    {R"("intelRdt":{"memBwSchema":"L3:0=f"})", REAPER_ERR_INVALID, "/linux/intelRdt/memBwSchema"},
    {R"("intelRdt":{"memBwSchema":"MB:0=20\nL3:0=f"})", REAPER_ERR_INVALID, "/linux/intelRdt/memBwSchema"},
    {R"("intelRdt":{"l3CacheSchema":"L3:0=f\n\nL3:1=f"})", REAPER_ERR_INVALID, "/linux/intelRdt/l3CacheSchema"},
    {R"("intelRdt":{"schemata":["L3:0=f","MB:0=9\nL2:0=f"]})", REAPER_ERR_INVALID, "/linux/intelRdt/schemata/1"},
    {R"("intelRdt":{"schemata":[""]})", REAPER_ERR_INVALID, "/linux/intelRdt/schemata/0"},
    {R"("intelRdt":{"l3CacheSchema":1})", REAPER_ERR_INVALID, "/linux/intelRdt/l3CacheSchema"},
    {R"("intelRdt":{"enableMonitoring":"true"})", REAPER_ERR_INVALID, "/linux/intelRdt/enableMonitoring"},
    {R"("memoryPolicy":{"mode":"MPOL_NEAREST"})", REAPER_ERR_INVALID, "/linux/memoryPolicy/mode"},
    {R"("memoryPolicy":{"nodes":"0"})", REAPER_ERR_INVALID, "/linux/memoryPolicy/mode"},
    {R"("memoryPolicy":{"mode":"MPOL_DEFAULT","nodes":"0"})", REAPER_ERR_INVALID, "/linux/memoryPolicy/nodes"},
    {R"("memoryPolicy":{"mode":"MPOL_LOCAL","flags":["MPOL_F_STATIC_NODES"]})", REAPER_ERR_INVALID,
     "/linux/memoryPolicy/flags"},
    {R"("memoryPolicy":{"mode":"MPOL_BIND"})", REAPER_ERR_INVALID, "/linux/memoryPolicy/nodes"},
    {R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"1-0"})", REAPER_ERR_INVALID, "/linux/memoryPolicy/nodes"},
    {R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"1024"})", REAPER_ERR_INVALID, "/linux/memoryPolicy/nodes"},
    {R"("memoryPolicy":{"mode":"MPOL_PREFERRED","flags":["MPOL_F_STATIC_NODES"]})", REAPER_ERR_INVALID,
     "/linux/memoryPolicy/nodes"},
    {R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES","MPOL_F_RELATIVE_NODES"]})",
     REAPER_ERR_INVALID, "/linux/memoryPolicy/flags"},
    {R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC"]})", REAPER_ERR_INVALID,
     "/linux/memoryPolicy/flags/0"},
    {R"("memoryPolicy":{"nodes":0})", REAPER_ERR_INVALID, "/linux/memoryPolicy/nodes"},
    {R"("memoryPolicy":{"flags":"x"})", REAPER_ERR_INVALID, "/linux/memoryPolicy/flags"},
    {R"("personality":{"domain":"LINUX","flags":["x"]})", REAPER_ERR_UNSUPPORTED, "/linux/personality/flags"},
    {R"("personality":{"domain":32})", REAPER_ERR_INVALID, "/linux/personality/domain"},
    {R"("timeOffsets":{"monotonic":{"secs":4611686019}})", REAPER_ERR_INVALID, "/linux/timeOffsets/monotonic/secs"},
    {R"("timeOffsets":{"monotonic":{"secs":-4611686019}})", REAPER_ERR_INVALID, "/linux/timeOffsets/monotonic/secs"},
    {R"("timeOffsets":{"boottime":{"nanosecs":1000000000}})", REAPER_ERR_INVALID,
     "/linux/timeOffsets/boottime/nanosecs"},
    {R"("timeOffsets":{"boottime":{"nanosecs":-1}})", REAPER_ERR_INVALID, "/linux/timeOffsets/boottime/nanosecs"},
    {R"("timeOffsets":{"boottime":1})", REAPER_ERR_INVALID, "/linux/timeOffsets/boottime"},
    {R"("timeOffsets":{"monotonic":{"secs":"1"}})", REAPER_ERR_INVALID, "/linux/timeOffsets/monotonic/secs"},
};

constexpr Refusal in_resources[] = {
    {R"("unified":{"memory.max":"1"})", REAPER_ERR_UNSUPPORTED, "/linux/resources/unified"},
    {R"("unified":{"memory.max":""})", REAPER_ERR_UNSUPPORTED, "/linux/resources/unified"},
    {R"("unified":{"memory.max":1})", REAPER_ERR_INVALID, "/linux/resources/unified/memory.max"},
    {R"("unified":[])", REAPER_ERR_INVALID, "/linux/resources/unified"},
    {R"("devices":[{"allow":false,"access":"rwm"}])", REAPER_ERR_UNSUPPORTED, "/linux/resources/devices/0"},
    {R"("devices":[{"allow":false}])", REAPER_ERR_UNSUPPORTED, "/linux/resources/devices/0"},
    {R"("devices":[{}])", REAPER_ERR_UNSUPPORTED, "/linux/resources/devices/0"},
    {R"("devices":[{"allow":"false"}])", REAPER_ERR_INVALID, "/linux/resources/devices/0/allow"},
    {R"("devices":[{},{"major":"1"}])", REAPER_ERR_INVALID, "/linux/resources/devices/1/major"},
    {R"("devices":{"0":{}})", REAPER_ERR_INVALID, "/linux/resources/devices"},
    {R"("pids":{"limit":0})", REAPER_ERR_UNSUPPORTED, "/linux/resources/pids"},
    {R"("pids":{"limit":-1})", REAPER_ERR_UNSUPPORTED, "/linux/resources/pids"},
    {R"("pids":{"limit":"max"})", REAPER_ERR_INVALID, "/linux/resources/pids/limit"},
    {R"("pids":100)", REAPER_ERR_INVALID, "/linux/resources/pids"},
    {R"("blockIO":{"weight":10})", REAPER_ERR_UNSUPPORTED, "/linux/resources/blockIO"},
    {R"("blockIO":{"weightDevice":[{"major":8,"minor":0,"weight":500}]})", REAPER_ERR_UNSUPPORTED,
     "/linux/resources/blockIO"},
    {R"("blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":600}]})", REAPER_ERR_UNSUPPORTED,
     "/linux/resources/blockIO"},
    {R"("blockIO":{"throttleWriteIOPSDevice":[{"rate":"1"}]})", REAPER_ERR_INVALID,
     "/linux/resources/blockIO/throttleWriteIOPSDevice/0/rate"},
    {R"("blockIO":{"leafWeight":null})", REAPER_ERR_INVALID, "/linux/resources/blockIO/leafWeight"},
    {R"("cpu":{"shares":1024})", REAPER_ERR_UNSUPPORTED, "/linux/resources/cpu"},
    {R"("cpu":{"cpus":"0-3"})", REAPER_ERR_UNSUPPORTED, "/linux/resources/cpu"},
    {R"("cpu":{"cpus":"","idle":0})", REAPER_ERR_UNSUPPORTED, "/linux/resources/cpu"},
    {R"("cpu":{"cpus":3})", REAPER_ERR_INVALID, "/linux/resources/cpu/cpus"},
    {R"("cpu":{"quota":"-1"})", REAPER_ERR_INVALID, "/linux/resources/cpu/quota"},
    {R"("cpu":{"burst":true})", REAPER_ERR_INVALID, "/linux/resources/cpu/burst"},
    {R"("hugepageLimits":[{"pageSize":"2MB","limit":0}])", REAPER_ERR_UNSUPPORTED, "/linux/resources/hugepageLimits"},
    {R"("hugepageLimits":[{"pageSize":2}])", REAPER_ERR_INVALID, "/linux/resources/hugepageLimits/0/pageSize"},
    {R"("hugepageLimits":{})", REAPER_ERR_INVALID, "/linux/resources/hugepageLimits"},
    {R"("memory":{"limit":536870912})", REAPER_ERR_UNSUPPORTED, "/linux/resources/memory"},
    {R"("memory":{"limit":-1})", REAPER_ERR_UNSUPPORTED, "/linux/resources/memory"},
    {R"("memory":{"swappiness":0})", REAPER_ERR_UNSUPPORTED, "/linux/resources/memory"},
    {R"("memory":{"disableOOMKiller":true})", REAPER_ERR_UNSUPPORTED, "/linux/resources/memory"},
    {R"("memory":{"limit":"512m"})", REAPER_ERR_INVALID, "/linux/resources/memory/limit"},
    {R"("memory":{"disableOOMKiller":0})", REAPER_ERR_INVALID, "/linux/resources/memory/disableOOMKiller"},
    {R"("memory":{"kernelTCP":null})", REAPER_ERR_INVALID, "/linux/resources/memory/kernelTCP"},
    {R"("memory":[])", REAPER_ERR_INVALID, "/linux/resources/memory"},
    {R"("network":{"classID":1048577})", REAPER_ERR_UNSUPPORTED, "/linux/resources/network"},
    {R"("network":{"priorities":[{"name":"eth0","priority":500}]})", REAPER_ERR_UNSUPPORTED,
     "/linux/resources/network"},
    {R"("network":{"priorities":[{"name":0}]})", REAPER_ERR_INVALID, "/linux/resources/network/priorities/0/name"},
    {R"("rdma":{"mlx5_1":{"hcaHandles":3}})", REAPER_ERR_UNSUPPORTED, "/linux/resources/rdma"},
    {R"("rdma":{"mlx5_1":{}})", REAPER_ERR_UNSUPPORTED, "/linux/resources/rdma"},
    {R"("rdma":{"mlx5_1":{"hcaHandles":"not a uint32"}})", REAPER_ERR_INVALID,
     "/linux/resources/rdma/mlx5_1/hcaHandles"},
    {R"("rdma":{"mlx5_1":[]})", REAPER_ERR_INVALID, "/linux/resources/rdma/mlx5_1"},
    {R"("memory":{"disableOOMKiller":false},"pids":{"limit":1})", REAPER_ERR_UNSUPPORTED, "/linux/resources/pids"},
};

std::string resources(std::string_view members) {
  return linux_section(R"("resources":{)" + std::string(members) + "}");
}

}  // namespace

static void at_the_top(void**) {
  assert_refusals(document, top_level);
}
static void inside_process(void**) {
  assert_refusals(process, in_process);
}
static void inside_linux(void**) {
  assert_refusals(linux_section, in_linux);
}
static void inside_resources(void**) {
  assert_refusals(resources, in_resources);
  assert_refused(linux_section(R"("resources":null)"), REAPER_ERR_INVALID, "/linux/resources");
  assert_refused(linux_section(R"("resources":[])"), REAPER_ERR_INVALID, "/linux/resources");
}

// A value that asks for nothing is accepted: encoders write such values without meaning them.
static void nothing_is_asked_for(void**) {
  for (const char* members :
       {R"("hostname":"")", R"("domainname":"")", R"("mounts":[])", R"("hooks":{})",
        R"("hooks":{"prestart":[],"createRuntime":[],"createContainer":[],"startContainer":[],"poststart":[],
                    "poststop":[]})",
        R"("windows":{})", R"("windows":{"layerFolders":[],"servicing":false,"network":{"endpointList":[]}})",
        R"("solaris":{"milestone":""})", R"("freebsd":{"jail":{"allow":{"mlock":false}}})",
        R"("zos":{"namespaces":[]})", R"("vm":{"kernel":{"path":""}})"})
    accepted_silently(document(members));
  for (const char* members : {R"("terminal":false)", R"("commandLine":"")", R"("apparmorProfile":"","selinuxLabel":"")",

                              R"("execCPUAffinity":{"initial":"","final":""})"})
    accepted_silently(process(members));
  for (const char* members :
       {R"("devices":[],"netDevices":{},"uidMappings":[],"gidMappings":[])", R"("cgroupsPath":"","mountLabel":"")",
        R"("rootfsPropagation":"")", R"("seccomp":{})",
        R"("seccomp":{"defaultAction":"","architectures":[],"syscalls":[],"flags":[],"listenerPath":""})",
        R"("sysctl":{},"maskedPaths":[],"readonlyPaths":[])",
        R"("intelRdt":{"closID":"","schemata":[],"enableMonitoring":false})",
        R"("memoryPolicy":{"mode":"","nodes":"","flags":[]})", R"("timeOffsets":{})",
        R"("timeOffsets":{"monotonic":{},"boottime":{}})", R"("resources":{})"})
    accepted_silently(linux_section(members));
  for (const char* members :
       {R"("unified":{},"devices":[],"pids":{},"hugepageLimits":[],"rdma":{})",
        R"("blockIO":{"weightDevice":[],"throttleReadBpsDevice":[]})", R"("cpu":{"cpus":"","mems":""})",
        R"("memory":{"disableOOMKiller":false,"useHierarchy":false,"checkBeforeUpdate":false})",
        R"("network":{"priorities":[]})"})
    accepted_silently(resources(members));
}

// An unknown name inside a known object asks for nothing that is known: a warning, not a refusal.
static void unknown_names_do_not_ask(void**) {
  assert_warning(linux_section(R"("seccomp":{"xyzzyxyzzy":true})"), "/linux/seccomp/xyzzyxyzzy", "unknown property");
  assert_warning(resources(R"("memory":{"xyzzyxyzzy":1})"), "/linux/resources/memory/xyzzyxyzzy", "unknown property");
}

static void the_words(void**) {
  auto config = reaper::parse_config(document(R"("linux":{"personality":{"domain":"LINUX","flags":["a"]}})"));
  assert_false(config.has_value());
  assert_string_equal(
      config.error().message.c_str(),
      "/linux/personality/flags: not supported by this version of Reaper: the specification has no flag yet");
  assert_string_equal(config.error().stage.c_str(), "config");
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(at_the_top),
      cmocka_unit_test(inside_process),
      cmocka_unit_test(inside_linux),
      cmocka_unit_test(inside_resources),
      cmocka_unit_test(nothing_is_asked_for),
      cmocka_unit_test(unknown_names_do_not_ask),
      cmocka_unit_test(the_words),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
