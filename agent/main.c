#include <fcntl.h>
#include <unistd.h>

#include "agent/cli.h"

/*
 * A file that is opened while one of the three is closed would become it: what is printed would go
 * into a capture that is being written. Opened the wrong way round, they fail as closed ones do.
 */
static void occupy_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

int main(int argc, char **argv)
{
	occupy_standard_streams();
	return cli_main(argc, argv);
}
