/* Three threads that wait for one word and then write to a pipe; a fourth that the process does not wait for. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t word = PTHREAD_COND_INITIALIZER;
static int pipefd[2], given;

static void *writer(void *letter)
{
	pthread_mutex_lock(&mutex);
	while (!given)
		pthread_cond_wait(&word, &mutex);
	pthread_mutex_unlock(&mutex);
	write(pipefd[1], letter, 1);
	return NULL;
}

static void *sleeper(void *unused)
{
	pause();
	return unused;
}

int main(void)
{
	pthread_t threads[4];
	char text[4] = "";

	pipe(pipefd);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, writer, "abc" + i);
	pthread_create(&threads[3], NULL, sleeper, NULL);
	pthread_mutex_lock(&mutex);
	given = 1;
	pthread_cond_broadcast(&word);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	printf("%zd\n", read(pipefd[0], text, 3));
	return 0;
}
