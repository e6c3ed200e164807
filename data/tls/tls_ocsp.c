/* See tls_ocsp.h. */
#include "data/tls/tls_ocsp.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

/* How far clocks may differ. */
#define SKEW_S 300

static time_t time_of(const ASN1_GENERALIZEDTIME *t)
{
	struct tm tm = {0};

	return t && ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

/* Whether it says "good", now: 0 with its end (0: none), or a sentence in *ret_why. */
static int judge(const unsigned char *data, size_t len, time_t *ret_until, const char **ret_why)
{
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &data, (long)len);
	OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;
	OCSP_SINGLERESP *single = basic ? OCSP_resp_get0(basic, 0) : NULL;
	ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;

	*ret_why = NULL;
	if (!single)
		*ret_why = "it is no OCSP response";
	else if (OCSP_single_get0_status(single, NULL, NULL, &from, &until) !=
		 V_OCSP_CERTSTATUS_GOOD)
		*ret_why = "it does not say that the certificate is good";
	else if (OCSP_check_validity(from, until, SKEW_S, -1) != 1)
		*ret_why = "it is not valid now";
	else
		*ret_until = time_of(until);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return *ret_why ? -EINVAL : 0;
}

static int read_all(int fd, size_t len, unsigned char *data)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(fd, data + got, len - got);

		if (n == 0)
			return -EIO;
		if (n < 0 && errno != EINTR)
			return -errno;
		got += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int read_file(
	int fd, size_t len, unsigned char **ret, time_t *ret_until, const char **ret_why)
{
	unsigned char *data = malloc(len);
	int rc = data ? read_all(fd, len, data) : -ENOMEM;

	if (rc == 0)
		rc = judge(data, len, ret_until, ret_why);
	else
		*ret_why = strerror(-rc);
	if (rc < 0)
		free(data);
	else
		*ret = data;
	return rc;
}

int tls_ocsp_read(const char *path, struct timespec *changed, unsigned char **ret, size_t *ret_len,
	time_t *ret_until)
{
	const char *why = "it is no file of 1 to 65536 bytes";
	struct stat st;
	int fd = -1, rc = -EINVAL;

	if (stat(path, &st) < 0)
		return -errno;
	if (st.st_mtim.tv_sec == changed->tv_sec && st.st_mtim.tv_nsec == changed->tv_nsec)
		return 1;
	*changed = st.st_mtim;
	if (S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= TLS_OCSP_MAX)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0) {
		rc = read_file(fd, (size_t)st.st_size, ret, ret_until, &why);
		close(fd);
	}
	if (rc < 0)
		log_warn("worker: ocsp_file=%s is not stapled why=\"%s\"", path, why);
	else
		*ret_len = (size_t)st.st_size;
	return rc;
}
