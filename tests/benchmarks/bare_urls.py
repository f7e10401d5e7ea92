"""URLs with a bare list by Django REST framework beside the project's own pages."""

from django.urls import include, path
from rest_framework import generics, serializers
from rest_framework.authentication import TokenAuthentication
from rest_framework.renderers import JSONRenderer

from campaigns.models import Campaign


class Shape(serializers.ModelSerializer[Campaign]):
    class Meta:
        model = Campaign
        fields = ("code", "name_en", "name_zh")


class Bare(generics.ListAPIView[Campaign]):
    """Bare view: look up the token, read a list of one row and render it."""

    authentication_classes = [TokenAuthentication]
    permission_classes = []
    throttle_classes = []
    renderer_classes = [JSONRenderer]
    queryset = Campaign.objects.all()
    serializer_class = Shape


urlpatterns = [path("bare/", Bare.as_view()), path("", include("config.urls"))]
