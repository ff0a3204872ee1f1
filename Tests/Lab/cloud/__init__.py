"""The local cloud: EC2 look-alike instances in namespaces of this machine.

    namespaces   system calls: unshare, mount, prctl
    flavours     the table of instances: whose image, which user, which banner
    keys         the EC2 key pair and the host keys
    sshd         a private sshd per flavour that announces the flavour's version
    network      the bridge, the addresses, the names
    instance     one instance: its files, its namespaces, its processes
    fleet        one machine that is as many instances as tests launch
    gateway      starts AWS's services for all of them
    client       the machine the user sits at: accounts, homes, names
"""
